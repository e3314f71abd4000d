package workshop

import (
	"cmp"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// intakeView is the page on which machines are taken in: one by its form, or many
// by a file.
type intakeView struct {
	web.Chrome
	Places  []link
	One     form
	File    form
	Faults  []string // of a file that was refused
	Refused string
	Columns string
}

var intakePage = web.MustPage[intakeView](templates, "templates/intake.html", "templates/form.html", "templates/places.html")

// intake serves GET /atelier/entree.
func (h *Handler) intake(c echo.Context) error { return h.showIntake(c, "", nil, nil) }

func (h *Handler) showIntake(c echo.Context, slug string, p *problem.Error, report *computers.ImportReport) error {
	here, places, err := h.place(c, Path+"/entree")
	if err != nil {
		return err
	}
	view := intakeView{Chrome: h.Site.Chrome(c, "workshop.intake"), Places: places, Columns: "serial;maker;model;donor;kind;form;processor;memory_mb;mac;lot;cost_eur;register_no;received_on;drives"}
	l := view.Language
	query := "?residence=" + string(here.ID)
	view.One = form{Slug: "entree", Path: Path + "/entree" + query, Token: token(c), Title: l.T("workshop.intake_one"), Button: l.T("workshop.do_intake"), Hidden: []option{newPress()},
		Fields: intakeFields(l, civil.DateIn(h.Now(), here.Zone), c.QueryParam("serie"))}
	view.File = form{Slug: "fichier", Path: Path + "/entree/fichier" + query, Token: token(c), Title: l.T("workshop.intake_file"), Button: l.T("workshop.do_file"), Multipart: true, Hidden: []option{newPress()},
		Fields: []field{{Name: "fichier", Of: "file", Label: l.T("workshop.file"), Hint: l.T("workshop.file_hint"), Look: aFile, Needed: true}}}
	switch {
	case p != nil && slug == "entree":
		view.One.refused(c, l, p)
	case p != nil:
		view.File.refused(c, l, p)
	}
	status := statusOf(p)
	if report != nil {
		status = http.StatusUnprocessableEntity
		view.report(*report)
	}
	return intakePage.Render(c, status, view)
}

// intakeFields ask what is seen on the machine first, and where it came from after.
func intakeFields(l web.Language, today civil.Date, serial string) []field {
	fields := []field{
		{Name: "serie", Of: "serial", Label: l.T("workshop.serial"), Look: line, Most: mostSerial, Needed: true, Typed: serial, Focus: true},
		{Name: "marque", Of: "maker", Label: l.T("workshop.maker"), Look: line, Most: mostName, Needed: true},
		{Name: "modele", Of: "model", Label: l.T("workshop.model"), Look: line, Most: mostName, Needed: true},
		field{Name: "forme", Of: "form", Label: l.T("workshop.form"), Look: oneOf, Options: options(l, []computers.Form{computers.Laptop, computers.Desktop}, builds), Needed: true}.chosen(string(computers.Laptop)),
		field{Name: "sorte", Of: "kind", Label: l.T("workshop.kind"), Look: oneOf, Options: options(l, []computers.Kind{computers.Used, computers.New}, kinds), Needed: true}.chosen(string(computers.Used)),
		{Name: "processeur", Of: "processor", Label: l.T("workshop.processor"), Look: line, Most: mostName},
		{Name: "memoire", Of: "memory_mb", Label: l.T("workshop.memory_gb"), Look: line, Most: 4, Mode: "numeric"},
		{Name: "mac", Of: "mac", Label: l.T("workshop.mac"), Hint: l.T("workshop.mac_hint"), Look: line, Most: mostSerial},
	}
	fields = append(fields, driveFields(l, false)...)
	return append(fields,
		field{Name: "donneur", Of: "donor", Label: l.T("workshop.donor"), Hint: l.T("workshop.donor_hint"), Look: line, Most: mostName, Needed: true},
		field{Name: "lot", Of: "lot", Label: l.T("workshop.lot"), Look: line, Most: mostSerial},
		field{Name: "prix", Of: "cost_cents", Label: l.T("workshop.cost"), Hint: l.T("workshop.cost_hint"), Look: line, Most: 12, Mode: "decimal"},
		field{Name: "registre", Of: "register_no", Label: l.T("workshop.register_no"), Hint: l.T("workshop.register_hint"), Look: line, Most: mostSerial},
		field{Name: "jour", Of: "received_on", Label: l.T("workshop.received_on"), Look: day, Typed: today.String(), Last: today.String(), Needed: true})
}

// takeIn serves POST /atelier/entree.
func (h *Handler) takeIn(c echo.Context) error {
	return h.send(c, func() (string, error) {
		here, _, err := h.place(c, Path+"/entree")
		if err != nil {
			return "", err
		}
		a, err := arrival(c)
		if err != nil {
			return "", err
		}
		a.Residence = here.ID
		m, err := h.Machines.TakeIn(c.Request().Context(), who(c), a, h.Now())
		err = atField(atField(atField(err, "serial", computers.ErrSerialTaken), "register_no", computers.ErrRegisterNo), "drive_serial", computers.ErrDriveTaken)
		return machinePath(m.ID) + "?fait=entree", err
	}, func(p *problem.Error) error { return h.showIntake(c, "entree", p, nil) })
}

func arrival(c echo.Context) (computers.Arrival, error) {
	t := &typed{c: c}
	m := computers.Machine{Serial: strings.ToUpper(t.words("serie", "serial", true, mostSerial)), Maker: t.words("marque", "maker", true, mostName), Model: t.words("modele", "model", true, mostName),
		Form: pick(t, "forme", "form", []computers.Form{computers.Laptop, computers.Desktop}), Kind: pick(t, "sorte", "kind", []computers.Kind{computers.Used, computers.New}),
		Processor: t.words("processeur", "processor", false, mostName), MemoryMB: int(t.number("memoire", "memory_mb", 1024)) * 1024, MAC: t.mac("mac", "mac")}
	m.Intake = computers.Intake{Donor: t.words("donneur", "donor", true, mostName), Lot: t.words("lot", "lot", false, mostSerial), CostCents: t.euros("prix", "cost_cents", false),
		RegisterNo: t.words("registre", "register_no", false, mostSerial), On: t.day("jour", "received_on")}
	a := computers.Arrival{Machine: m}
	if said(c, "disque_serie") != "" {
		a.Drives = []computers.Drive{t.drive(true)}
	}
	return a, t.err()
}

// mac reads the address of a network card however its makers write it.
func (t *typed) mac(name, of string) string {
	text := said(t.c, name)
	if text == "" {
		return ""
	}
	digits := strings.NewReplacer(":", "", "-", "", ".", "", " ", "").Replace(text)
	if len(digits) == 12 {
		digits = strings.Join([]string{digits[0:2], digits[2:4], digits[4:6], digits[6:8], digits[8:10], digits[10:12]}, ":")
	}
	address, err := net.ParseMAC(digits)
	if err != nil || len(address) != 6 {
		t.refuse(of, "workshop.no_mac")
		return ""
	}
	return address.String()
}

// takeInFile serves POST /atelier/entree/fichier: all machines of the file, or
// none with what is wrong in which line.
func (h *Handler) takeInFile(c echo.Context) error {
	var report *computers.ImportReport
	return h.send(c, func() (string, error) {
		here, _, err := h.place(c, Path+"/entree")
		if err != nil {
			return "", err
		}
		file, err := sentFile(c, "fichier", computers.MostImportBytes)
		switch {
		case err != nil:
			return "", cmp.Or(atFileField(err), err)
		case file == nil:
			return "", fault("file", "field.missing")
		}
		made, err := h.Machines.Import(c.Request().Context(), who(c), here.ID, file, false, h.Now(), func(int, int) {})
		if err != nil {
			return "", err
		}
		if made.FaultCount > 0 {
			report = &made
			return "", &problem.Error{Kind: problem.Invalid, Message: "error.fields"}
		}
		return Path + "/stock?residence=" + string(here.ID) + "&etat=" + string(computers.Received) + "#liste", nil
	}, func(p *problem.Error) error {
		if report != nil {
			return h.showIntake(c, "", nil, report)
		}
		return h.showIntake(c, "fichier", p, nil)
	})
}

// atFileField says beside the field that a file is too long; nil for anything else.
func atFileField(err error) error {
	if err == errFileLong {
		return fault("file", "error.too_large")
	}
	return nil
}

// report says what is wrong in a file, line by line.
func (v *intakeView) report(r computers.ImportReport) {
	v.Refused = v.T("workshop.file_refused", r.FaultCount)
	for _, f := range r.Faults {
		where := v.T("workshop.file_whole")
		switch {
		case f.Line > 0 && f.Column != "":
			where = v.T("workshop.file_cell", strconv.Itoa(f.Line), f.Column)
		case f.Line > 0:
			where = v.T("workshop.file_line", strconv.Itoa(f.Line))
		}
		v.Faults = append(v.Faults, where+" "+v.T(f.Message, f.Args...))
	}
	v.Faults = slices.Clip(v.Faults)
}
