package computers

import (
	"errors"
	"io"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

type importJSON struct {
	Lines  int  `json:"lines"`
	Made   int  `json:"made"`
	DryRun bool `json:"dry_run"`
}

// importFile serves POST /machine-imports: a CSV file, all of it or nothing.
// Faults are named by line and column.
func (h *Handler) importFile(c echo.Context) error {
	file, err := io.ReadAll(http.MaxBytesReader(c.Response(), c.Request().Body, MostImportBytes))
	if err != nil {
		return &problem.Error{Kind: problem.TooLarge, Message: "error.too_large", Err: err}
	}
	who, _ := asked(c)
	dry := c.QueryParam("dry_run") == "true"
	report, err := h.Store.Import(c.Request().Context(), who, metering.SiteID(c.QueryParam("residence")), file, dry, h.Now(), func(int, int) {})
	if err != nil {
		return err
	}
	if report.FaultCount > 0 {
		return problem.OfFields(resource.Mapped(report.Faults, func(f ImportFault) problem.Field { return f.Field }))
	}
	return c.JSON(http.StatusOK, importJSON{report.Lines, report.Made, dry})
}

type waitJSON struct {
	ID        WaitID               `json:"id"`
	Residence metering.SiteID      `json:"residence"`
	Household premises.HouseholdID `json:"household"`
	Kind      Kind                 `json:"kind"`
	Asked     civil.Date           `json:"asked_on"`
}

// shapeWait tells neither door nor names: programs look a household up.
func shapeWait(w Wait) waitJSON {
	return waitJSON{w.ID, w.Residence, w.Household, w.Kind, w.Asked}
}

func (h *Handler) waiting(c echo.Context) error {
	who, _ := asked(c)
	all, err := h.Store.Waiting(c.Request().Context(), who, metering.SiteID(c.QueryParam("residence")), h.Now())
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, resource.List[waitJSON]{Items: resource.Mapped(all, shapeWait)})
}

func (h *Handler) enlist(c echo.Context) error {
	sent, err := resource.Decode[waitBody](c)
	if err != nil {
		return err
	}
	who, _ := asked(c)
	w, err := h.Store.Enlist(c.Request().Context(), who, Wait{Residence: sent.Residence, Household: sent.Household, Kind: sent.Kind, Asked: day(sent.AskedOn)}, h.Now())
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, shapeWait(w))
}

func (h *Handler) withdraw(c echo.Context) error {
	who, id := asked(c)
	if err := h.Store.Withdraw(c.Request().Context(), who, WaitID(id), h.Now()); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

func (h *Handler) programme(c echo.Context) error {
	who, id := asked(c)
	p, err := h.Store.Programme(c.Request().Context(), who, metering.SiteID(id))
	if err != nil {
		return err
	}
	return resource.Answer(c, http.StatusOK, p.Version, programmeBody{p.Residence, p.From, dateOrNil(p.Until), p.PerHousehold, p.TargetDays, p.Months})
}

func (h *Handler) setProgramme(c echo.Context) error {
	sent, err := resource.Decode[programmeBody](c)
	if err != nil {
		return err
	}
	who, id := asked(c)
	if sent.Residence != "" && string(sent.Residence) != id {
		return fault("residence", "field.not_one_of", id)
	}
	p := Programme{Residence: metering.SiteID(id), From: sent.From, Until: day(sent.Until), PerHousehold: sent.PerHousehold, TargetDays: sent.TargetDays, Months: sent.Months}
	if p.Version, err = h.seenTerms(c, p.Residence); err != nil {
		return err
	}
	if err := h.Store.SetProgramme(c.Request().Context(), who, p); err != nil {
		return err
	}
	return h.programme(c)
}

// seenTerms is the version of the terms that the sender means to change; who sends
// the first of a residence needs none.
func (h *Handler) seenTerms(c echo.Context, r metering.SiteID) (int64, error) {
	version, err := resource.Version(c)
	if err == nil {
		return version, nil
	}
	who, _ := asked(c)
	if _, none := h.Store.Programme(c.Request().Context(), who, r); errors.Is(none, ErrNone) && c.Request().Header.Get("If-Match") == "" {
		return -1, nil
	}
	return 0, err
}

func (h *Handler) prices(c echo.Context) error {
	who, id := asked(c)
	// The version first: a price that comes between makes it too old, never too new.
	version, err := h.Store.PricesVersion(c.Request().Context(), who, metering.SiteID(id))
	if err != nil {
		return err
	}
	all, err := h.Store.Prices(c.Request().Context(), who, metering.SiteID(id))
	if err != nil {
		return err
	}
	items := resource.Mapped(all, func(p Price) priceBody { return priceBody{p.What, p.From, p.Cents} })
	return resource.Answer(c, http.StatusOK, version, resource.List[priceBody]{Items: items})
}

func (h *Handler) setPrice(c echo.Context) error {
	sent, err := resource.Decode[priceBody](c)
	if err != nil {
		return err
	}
	who, id := asked(c)
	version, err := resource.Version(c)
	if err != nil {
		return err
	}
	p := Price{What: sent.What, From: sent.From, Cents: sent.Cents, At: h.Now(), Seen: version}
	if err := h.Store.SetPrice(c.Request().Context(), who, metering.SiteID(id), p); err != nil {
		return err
	}
	return h.prices(c)
}

type stockJSON struct {
	Residence   metering.SiteID `json:"residence"`
	On          civil.Date      `json:"on"`
	ByState     map[State]int   `json:"by_state"`
	ReadyUsed   int             `json:"ready_used"`
	ReadyNew    int             `json:"ready_new"`
	Waiting     int             `json:"waiting"`
	SoldWeeks   int             `json:"sold_weeks"`
	SoldUsed    int             `json:"sold_used"`
	CoverTenths *int            `json:"cover_tenths_of_week,omitempty"`
	Alert       bool            `json:"alert"`
	SoldEver    int             `json:"sold_ever"`
	UsedEver    int             `json:"used_ever"`
	Failed      int             `json:"failed_within_3_months"`
}

func (h *Handler) stock(c echo.Context) error {
	who, id := asked(c)
	s, err := h.Store.Stock(c.Request().Context(), who, metering.SiteID(id), h.Now())
	if err != nil {
		return err
	}
	made := stockJSON{s.Residence, s.On, s.ByState, s.ReadyUsed, s.ReadyNew, s.Waiting, s.SoldWeeks, s.SoldUsed, nil, s.Alert, s.SoldEver, s.UsedEver, s.Failed}
	if s.CoverTenths >= 0 {
		made.CoverTenths = &s.CoverTenths
	}
	return c.JSON(http.StatusOK, made)
}

type ledgerJSON struct {
	Residence       metering.SiteID `json:"residence"`
	From            civil.Date      `json:"from"`
	To              civil.Date      `json:"to"`
	SoldUsed        int             `json:"sold_used"`
	SoldNew         int             `json:"sold_new"`
	RevenueUsed     int64           `json:"revenue_used_cents"`
	RevenueNew      int64           `json:"revenue_new_cents"`
	Subsidised      int             `json:"subsidised"`
	Exchanges       int             `json:"exchanges"`
	Returns         int             `json:"returns"`
	RefundCents     int64           `json:"refund_cents"`
	BoughtUsed      int             `json:"bought_used"`
	BoughtNew       int             `json:"bought_new"`
	BoughtUsedCents int64           `json:"bought_used_cents"`
	BoughtNewCents  int64           `json:"bought_new_cents"`
}

func (h *Handler) ledger(c echo.Context) error {
	from, to, err := rangeOf(c)
	if err != nil {
		return err
	}
	who, id := asked(c)
	l, err := h.Store.Ledger(c.Request().Context(), who, metering.SiteID(id), from, to)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, ledgerJSON(l))
}

type registerJSON struct {
	RegisterNo string     `json:"register_no"`
	On         civil.Date `json:"received_on"`
	Donor      string     `json:"donor"`
	Lot        string     `json:"lot"`
	CostCents  int64      `json:"cost_cents"`
	Tag        string     `json:"tag"`
	Kind       Kind       `json:"kind"`
	Maker      string     `json:"maker"`
	Model      string     `json:"model"`
	Serial     string     `json:"serial"`
}

// register serves the register of intakes, as CSV where that is asked for.
func (h *Handler) register(c echo.Context) error {
	from, to, err := rangeOf(c)
	if err != nil {
		return err
	}
	who, id := asked(c)
	all, err := h.Store.Register(c.Request().Context(), who, metering.SiteID(id), from, to)
	if err != nil {
		return err
	}
	lines := resource.Mapped(all, func(l RegisterLine) registerJSON { return registerJSON(l) })
	return resource.AnswerList(c, resource.Page{Limit: len(lines) + 1}, lines, func(registerJSON) string { return "" })
}

type lineJSON struct {
	On     civil.Date `json:"on"`
	Tag    string     `json:"tag"`
	What   Priced     `json:"what"`
	Cents  int64      `json:"price_cents"`
	Priced bool       `json:"priced"`
}

type statementJSON struct {
	Residence  metering.SiteID `json:"residence"`
	Month      civil.Month     `json:"month"`
	Lines      []lineJSON      `json:"lines"`
	TotalCents int64           `json:"total_cents"`
	Unpriced   int             `json:"unpriced"`
}

func (h *Handler) statement(c echo.Context) error {
	month, err := civil.ParseMonth(c.Param("month"))
	if err != nil {
		return &problem.Error{Kind: problem.Invalid, Message: "month.malformed", Err: err}
	}
	who, id := asked(c)
	s, err := h.Store.Statement(c.Request().Context(), who, metering.SiteID(id), month)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, statementJSON{s.Residence, s.Month, resource.Mapped(s.Lines, func(l StatementLine) lineJSON { return lineJSON(l) }), s.TotalCents, s.Unpriced})
}
