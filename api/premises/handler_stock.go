package premises

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/premises/stock"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A residence in JSON.
type residenceBody struct {
	ID       metering.SiteID `json:"id"`
	Name     string          `json:"name"`
	Zone     string          `json:"zone"`
	Earliest string          `json:"earliest"`
	Street   string          `json:"street"`
	Postcode string          `json:"postcode"`
	Town     string          `json:"town"`
	Percent  int             `json:"heat_individual_percent"`
	Version  int64           `json:"version"`
}

func bodyOfResidence(r Residence) residenceBody {
	return residenceBody{r.ID, r.Name, r.Zone.String(), r.Earliest.Format(time.RFC3339), r.Street, r.Postcode, r.Town, r.HeatIndividualPercent, r.Version}
}

// residences serves GET /residences.
func (h *Handler) residences(c echo.Context) error {
	fetch := func(ctx context.Context, page resource.Page) ([]Residence, error) {
		return h.store.ResidencesOf(ctx, staffOf(c), page)
	}
	return resource.AnswerPage(c, fetch, bodyOfResidence, func(r residenceBody) string { return string(r.ID) })
}

// residence serves GET /residences/{id}.
func (h *Handler) residence(c echo.Context) error {
	r, err := h.store.Residence(c.Request().Context(), staffOf(c), metering.SiteID(c.Param("id")))
	if err != nil {
		return err
	}
	return resource.Answer(c, http.StatusOK, r.Version, bodyOfResidence(r))
}

type residenceChange struct {
	ID       *string `json:"id"`   // of a new one
	Zone     *string `json:"zone"` // of a new one
	Name     *string `json:"name"`
	Street   *string `json:"street"`
	Postcode *string `json:"postcode"`
	Town     *string `json:"town"`
	Percent  *int    `json:"heat_individual_percent"`
}

// Check leaves the bounds to the residence.
func (*residenceChange) Check() []problem.Field { return nil }

func (n *residenceChange) apply(r *Residence) []problem.Field {
	put(&r.Name, n.Name)
	put(&r.Street, n.Street)
	put(&r.Postcode, n.Postcode)
	put(&r.Town, n.Town)
	put(&r.HeatIndividualPercent, n.Percent)
	return r.Faults()
}

// createResidence serves POST /residences.
func (h *Handler) createResidence(c echo.Context) error {
	sent, err := resource.Decode[residenceChange](c)
	if err != nil {
		return err
	}
	r, wrong := newResidence(sent)
	if err := problem.OfFields(append(wrong, sent.apply(&r)...)); err != nil {
		return err
	}
	if err := h.store.CreateResidence(c.Request().Context(), staffOf(c), r); err != nil {
		return err
	}
	c.Response().Header().Set("Location", "/api/v1/residences/"+string(r.ID))
	return resource.Answer(c, http.StatusCreated, r.Version, bodyOfResidence(r))
}

func newResidence(sent residenceChange) (Residence, faults) {
	r := Residence{HeatIndividualPercent: UsualHeatPercent, Earliest: time.UnixMilli(0).UTC(), Zone: time.UTC, Version: 1}
	var wrong faults
	var id, zone string
	put(&id, sent.ID)
	put(&zone, sent.Zone)
	wrong.id("id", id)
	r.ID = metering.SiteID(id)
	var err error
	if r.Zone, err = time.LoadLocation(zone); err != nil || zone == "" || zone == "Local" {
		wrong.add("zone", "field.no_zone")
		r.Zone = time.UTC
	}
	return r, wrong
}

// updateResidence serves PATCH /residences/{id}.
func (h *Handler) updateResidence(c echo.Context) error {
	version, err := resource.Version(c)
	if err != nil {
		return err
	}
	sent, err := resource.Decode[residenceChange](c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	r, err := h.store.Residence(ctx, staffOf(c), metering.SiteID(c.Param("id")))
	if err != nil {
		return err
	}
	wrong := faults(sent.apply(&r))
	for name, fixed := range map[string]*string{"id": sent.ID, "zone": sent.Zone} {
		if fixed != nil {
			wrong.add(name, "field.fixed")
		}
	}
	if err := problem.OfFields(wrong); err != nil {
		return err
	}
	r.Version = version
	if err := h.store.UpdateResidence(ctx, staffOf(c), r); err != nil {
		return err
	}
	r.Version++
	return resource.Answer(c, http.StatusOK, r.Version, bodyOfResidence(r))
}

type buildingBody struct {
	Residence  metering.SiteID `json:"residence"`
	Name       string          `json:"name"`
	Staircases int             `json:"staircases"`
	Dwellings  int             `json:"dwellings"`
}

// buildings serves GET /residences/{id}/buildings.
func (h *Handler) buildings(c echo.Context) error {
	ctx, id := c.Request().Context(), metering.SiteID(c.Param("id"))
	if _, err := h.store.Residence(ctx, staffOf(c), id); err != nil {
		return err
	}
	all, err := h.store.Buildings(ctx, staffOf(c), id)
	if err != nil {
		return err
	}
	body := resource.Mapped(all, func(b Building) buildingBody { return buildingBody(b) })
	return resource.AnswerList(c, resource.Page{Limit: len(body)}, body, func(b buildingBody) string { return b.Name })
}

// A dwelling in JSON.
type dwellingBody struct {
	ID        DwellingID      `json:"id"`
	Residence metering.SiteID `json:"residence"`
	Building  string          `json:"building"`
	Staircase string          `json:"staircase"`
	Label     string          `json:"label"`
	Floor     int             `json:"floor"`
	Rooms     int             `json:"rooms"`
	AreaM2    float64         `json:"area_m2"`
	Heating   Warmth          `json:"heating"`
	HotWater  Warmth          `json:"hot_water"`
	Version   int64           `json:"version"`
}

func bodyOfDwelling(d Dwelling) dwellingBody { return dwellingBody(d) }

// dwellings serves GET /dwellings.
func (h *Handler) dwellings(c echo.Context) error {
	f, err := filterOf(c)
	if err != nil {
		return err
	}
	all, err := h.store.Dwellings(c.Request().Context(), staffOf(c), f)
	if err != nil {
		return err
	}
	return resource.AnswerList(c, f.Page, resource.Mapped(all, bodyOfDwelling), func(d dwellingBody) string { return string(d.ID) })
}

// dwelling serves GET /dwellings/{id}.
func (h *Handler) dwelling(c echo.Context) error {
	d, err := h.store.Dwelling(c.Request().Context(), staffOf(c), DwellingID(c.Param("id")))
	if err != nil {
		return err
	}
	return resource.Answer(c, http.StatusOK, d.Version, bodyOfDwelling(d))
}

type dwellingChange struct {
	ID        *DwellingID      `json:"id"`        // of a new one
	Residence *metering.SiteID `json:"residence"` // of a new one
	Building  *string          `json:"building"`
	Staircase *string          `json:"staircase"`
	Label     *string          `json:"label"`
	Floor     *int             `json:"floor"`
	Rooms     *int             `json:"rooms"`
	AreaM2    *float64         `json:"area_m2"`
	Heating   *Warmth          `json:"heating"`
	HotWater  *Warmth          `json:"hot_water"`
}

// Check leaves the bounds to the dwelling.
func (*dwellingChange) Check() []problem.Field { return nil }

func (n *dwellingChange) apply(d *Dwelling) []problem.Field {
	put(&d.Building, n.Building)
	put(&d.Staircase, n.Staircase)
	put(&d.Label, n.Label)
	put(&d.Floor, n.Floor)
	put(&d.Rooms, n.Rooms)
	put(&d.AreaM2, n.AreaM2)
	put(&d.Heating, n.Heating)
	put(&d.HotWater, n.HotWater)
	return d.Faults()
}

// createDwelling serves POST /dwellings.
func (h *Handler) createDwelling(c echo.Context) error {
	sent, err := resource.Decode[dwellingChange](c)
	if err != nil {
		return err
	}
	d := Dwelling{Version: 1}
	put(&d.ID, sent.ID)
	put(&d.Residence, sent.Residence)
	if err := problem.OfFields(sent.apply(&d)); err != nil {
		return err
	}
	if err := h.store.CreateDwelling(c.Request().Context(), staffOf(c), d); err != nil {
		return err
	}
	c.Response().Header().Set("Location", "/api/v1/dwellings/"+url.PathEscape(string(d.ID)))
	return resource.Answer(c, http.StatusCreated, d.Version, bodyOfDwelling(d))
}

// updateDwelling serves PATCH /dwellings/{id}.
func (h *Handler) updateDwelling(c echo.Context) error {
	version, err := resource.Version(c)
	if err != nil {
		return err
	}
	sent, err := resource.Decode[dwellingChange](c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	d, err := h.store.Dwelling(ctx, staffOf(c), DwellingID(c.Param("id")))
	if err != nil {
		return err
	}
	wrong := faults(sent.apply(&d))
	if sent.ID != nil {
		wrong.add("id", "field.fixed")
	}
	if sent.Residence != nil {
		wrong.add("residence", "field.fixed")
	}
	if err := problem.OfFields(wrong); err != nil {
		return err
	}
	d.Version = version
	if err := h.store.UpdateDwelling(ctx, staffOf(c), d); err != nil {
		return err
	}
	d.Version++
	return resource.Answer(c, http.StatusOK, d.Version, bodyOfDwelling(d))
}

// An import in JSON.
type importBody struct {
	ID         string        `json:"id"`
	State      StockState    `json:"state"`
	Begun      time.Time     `json:"begun"`
	Reading    bool          `json:"reading"`
	Progress   int           `json:"progress"`
	Total      int           `json:"total"`
	Lines      int           `json:"lines"`
	Made       int           `json:"made"`
	Changed    int           `json:"changed"`
	Unchanged  int           `json:"unchanged"`
	FaultCount int           `json:"fault_count"`
	Faults     []stock.Fault `json:"faults"`
}

func bodyOfImport(i StockImport) importBody {
	return importBody{ID: i.ID, State: i.State, Begun: i.Begun, Reading: i.Step.Reading, Progress: i.Step.Done, Total: i.Step.Total,
		Lines: i.Lines, Made: i.Made, Changed: i.Changed, Unchanged: i.Unchanged, FaultCount: i.FaultCount, Faults: i.Faults}
}

// startImport serves POST /stock-imports: the body is the file. It is a dry run
// unless ?dry_run=false.
func (h *Handler) startImport(c echo.Context) error {
	kind, _, err := mime.ParseMediaType(c.Request().Header.Get("Content-Type"))
	if err != nil || kind != "text/csv" && kind != XLSX {
		return &problem.Error{Kind: problem.MediaType, Message: "error.media_type", Err: err}
	}
	dry := c.QueryParam("dry_run")
	if dry != "" && dry != "true" && dry != "false" {
		return problem.OfFields([]problem.Field{{Name: "dry_run", Message: "field.not_one_of", Args: []any{"true, false"}}})
	}
	file, err := io.ReadAll(c.Request().Body)
	if err != nil {
		return cutOff(err)
	}
	id, err := h.importer.Start(c.Request().Context(), staffOf(c), file, dry != "false")
	if err != nil {
		return err
	}
	return h.accepted(c, id)
}

// cutOff tells a body that is too large from one that did not arrive.
func cutOff(err error) error {
	if _, ok := errors.AsType[*echo.HTTPError](err); ok {
		return err
	}
	return &problem.Error{Kind: problem.Invalid, Message: "error.malformed", Err: err}
}

func (h *Handler) accepted(c echo.Context, id string) error {
	one, err := h.importer.ByID(c.Request().Context(), staffOf(c), id)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Location", "/api/v1/stock-imports/"+id)
	return c.JSON(http.StatusAccepted, bodyOfImport(one))
}

// stockImport serves GET /stock-imports/{id}.
func (h *Handler) stockImport(c echo.Context) error {
	one, err := h.importer.ByID(c.Request().Context(), staffOf(c), c.Param("id"))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, bodyOfImport(one))
}

// confirmImport serves POST /stock-imports/{id}/confirmation.
func (h *Handler) confirmImport(c echo.Context) error {
	if err := h.importer.Confirm(c.Request().Context(), staffOf(c), c.Param("id")); err != nil {
		return err
	}
	return h.accepted(c, c.Param("id"))
}
