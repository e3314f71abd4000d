package workshop

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/api/document"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// pdf answers with a document that the browser shows, and keeps nowhere.
func pdf(c echo.Context, name string, page []byte) error {
	header := c.Response().Header()
	header.Set("Cache-Control", "no-store")
	header.Set(echo.HeaderContentDisposition, `inline; filename="`+name+`.pdf"`)
	return c.Blob(http.StatusOK, "application/pdf", page)
}

// head is what the sheets of a day begin with.
func (h *Handler) head(l web.Language, title, number string, today civil.Date) document.Head {
	return document.Head{Language: l.Code(), Sender: h.Sender, Date: l.T("workshop.paper_date", full(l, today)), Title: title, Number: number}
}

// full writes a date with its year, as in "mercredi 18 mars 2026".
func full(l web.Language, d civil.Date) string { return l.Date(d, civil.Date{}) }

func (h *Handler) help(c echo.Context, l web.Language) document.Help {
	advisor := h.Site.Chrome(c, "workshop.title").Advisor
	return document.Help{Sentence: l.T("workshop.paper_help", advisor.Name), Telephone: advisor.Telephone}
}

// mention is what the law wants to stand on the receipt of a computer: that the
// legal guarantee exists and how long it is (décret 2021-609; code de la
// consommation, L.217-3, L.217-7, L.217-10 and L.217-13).
func mention(l web.Language, k computers.Kind) []string {
	presumed := "workshop.mention_presumed_used"
	if k == computers.New {
		presumed = "workshop.mention_presumed_new"
	}
	return []string{l.T("workshop.mention_legal"), l.T(presumed), l.T("workshop.mention_repair"), l.T("workshop.mention_longer")}
}

// cents writes an amount of money to the cent, as in "60,00 €".
func cents(l web.Language, c int64) string {
	if l.Code() == "en" {
		return "€" + l.Number(float64(c)/100, 2)
	}
	return l.Number(float64(c)/100, 2) + "\u00a0€"
}

// receipt serves GET /atelier/machines/{id}/recu.pdf.
func (h *Handler) receipt(c echo.Context) error {
	l := web.LanguageOf(c)
	sheet, sale, err := h.sold(c)
	if err != nil {
		return err
	}
	page, err := document.ReceiptPage(h.receiptOf(c, l, sheet, sale))
	if err != nil {
		return err
	}
	return pdf(c, "recu-"+sale.ReceiptNo, page)
}

func (h *Handler) receiptOf(c echo.Context, l web.Language, m computers.Sheet, s computers.Sale) document.Receipt {
	price := cents(l, s.PriceCents)
	r := document.Receipt{Head: h.head(l, l.T("workshop.receipt_title"), l.T("workshop.receipt_no", s.ReceiptNo), s.SoldOn),
		Lines: []document.ReceiptLine{{What: l.T("workshop.receipt_what", l.T(builds[m.Form]), strings.ToLower(l.T(kinds[m.Kind]))), Price: price,
			Details: []string{named(m.Machine), l.T("workshop.receipt_ids", m.Tag, m.Serial)}}},
		Total: document.ReceiptLine{What: l.T("workshop.receipt_total"), Price: price}, Paid: l.T("workshop.receipt_paid", full(l, s.SoldOn), l.T(payments[s.Payment])),
		GuaranteeHead: l.T("workshop.paper_guarantee"), Signatures: []string{l.T("workshop.sign_landlord"), l.T("workshop.sign_buyer")}, Help: h.help(c, l)}
	if s.Exchange != "" {
		r.Paid = l.T("workshop.receipt_exchange", full(l, s.SoldOn))
	}
	if s.SignedBy != "" { // told to who sells
		r.Notes = []string{l.T("workshop.receipt_signed", s.SignedBy)}
	}
	if s.ProgrammeMonths > 0 {
		r.Guarantee = append(r.Guarantee, l.T("workshop.programme_runs", s.ProgrammeMonths, full(l, s.ProgrammeFrom)))
	}
	r.Guarantee = append(r.Guarantee, mention(l, s.Kind)...)
	return r
}

// report serves GET /atelier/machines/{id}/effacements/{wipe}/rapport: what the
// tool wrote, as it came.
func (h *Handler) report(c echo.Context) error {
	kept, err := h.Machines.Report(c.Request().Context(), who(c), computers.MachineID(c.Param("id")), computers.WipeID(c.Param("wipe")))
	if err != nil {
		return err
	}
	return computers.HandOut(c, kept)
}

// guarantee serves GET /atelier/machines/{id}/garantie.pdf.
func (h *Handler) guarantee(c echo.Context) error {
	l := web.LanguageOf(c)
	sheet, sale, err := h.sold(c)
	if err != nil {
		return err
	}
	page, err := document.GuaranteePage(h.guaranteeOf(c, l, sheet, sale))
	if err != nil {
		return err
	}
	return pdf(c, "garantie-"+sheet.Tag, page)
}

func (h *Handler) guaranteeOf(c echo.Context, l web.Language, m computers.Sheet, s computers.Sale) document.GuaranteeSheet {
	g := s.Guarantee
	sheet := document.GuaranteeSheet{Head: h.head(l, l.T("workshop.paper_guarantee"), l.T("workshop.guarantee_of", m.Tag), h.today(m)),
		UntilHead: l.T("workshop.guarantee_until"), Until: full(l, g.Until()), GuaranteeHead: l.T("workshop.guarantee_two"),
		Machine: []document.Fact{{Name: l.T("workshop.machine"), Text: named(m.Machine)}, {Name: l.T("workshop.serial"), Text: m.Serial},
			{Name: l.T("workshop.sold_on"), Text: full(l, s.SoldOn)}},
		HowHead: l.T("workshop.broken"), How: []string{l.T("workshop.broken_call"), l.T("workshop.broken_bring"), l.T("workshop.broken_days")},
		Mention: mention(l, s.Kind), Signatures: []string{l.T("workshop.sign_received"), l.T("workshop.sign_workshop")}, Help: h.help(c, l)}
	if s.Accessories != "" {
		sheet.Machine = append(sheet.Machine, document.Fact{Name: l.T("workshop.accessories"), Text: s.Accessories})
	}
	if !g.Programme.IsZero() {
		sheet.Guarantees = append(sheet.Guarantees, document.Guarantee{Name: l.T("workshop.cover_programme"), Start: l.T("workshop.from_day", full(l, s.ProgrammeFrom)),
			End: l.T("workshop.to_day", full(l, g.Programme)), Explanation: l.T("workshop.programme_why")})
	}
	legal := document.Guarantee{Name: l.T("workshop.cover_legal"), Start: l.T("workshop.legal_waits"), Explanation: l.T("workshop.legal_why")}
	if !s.HandedOn.IsZero() {
		legal.Start, legal.End = l.T("workshop.from_day", full(l, s.HandedOn)), l.T("workshop.to_day", full(l, g.Legal))
	}
	sheet.Guarantees = append(sheet.Guarantees, legal)
	if g.Repairs > 0 {
		sheet.RepairsHead = l.T("workshop.repairs_head")
		sheet.Repairs = []string{l.T("workshop.repairs_done", g.Repairs, g.Repairs*6)}
	}
	return sheet
}

// named is what a machine is, as on its case.
func named(m computers.Machine) string { return strings.TrimSpace(m.Maker + " " + m.Model) }

// today is the day where the machine is.
func (h *Handler) today(m computers.Sheet) civil.Date { return civil.DateIn(h.Now(), m.Zone) }

// sold returns a machine with its sale; one that was never sold has no papers.
func (h *Handler) sold(c echo.Context) (computers.Sheet, computers.Sale, error) {
	sheet, err := h.machineOf(c)
	if err != nil {
		return sheet, computers.Sale{}, err
	}
	if sheet.Sale == nil {
		return sheet, computers.Sale{}, computers.ErrNone
	}
	return sheet, *sheet.Sale, nil
}
