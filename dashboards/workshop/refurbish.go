package workshop

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// Lengths that fields take.
const (
	mostSerial = 60
	mostName   = 100
	mostNote   = 500
)

// clean reports whether a text holds nothing that no keyboard types, nor signs that
// turn the direction of writing.
func clean(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, accounts.Unreadable)
}

// unwiped are the drives that still need evidence.
func unwiped(m computers.Sheet) []computers.Drive {
	return slices.DeleteFunc(slices.Clone(m.Drives), func(d computers.Drive) bool { return d.Wiped || d.Destroyed })
}

func wipeAction() action {
	return action{slug: "effacement", title: "workshop.act_wipe", button: "workshop.do_wipe", roles: computers.Workshop, file: true,
		fits:  func(m computers.Sheet) bool { return in(open...)(m) && len(unwiped(m)) > 0 },
		first: in(computers.Wiping),
		ask: func(l web.Language, m computers.Sheet, today civil.Date) []field {
			var drives []option
			for _, d := range unwiped(m) {
				drives = append(drives, option{ID: string(d.ID), Name: d.Serial + ", " + l.T(media[d.Medium])})
			}
			return []field{
				field{Name: "disque", Of: "drive", Label: l.T("workshop.drive"), Look: choose, Options: drives, Needed: true}.chosen(drives[0].ID),
				{Name: "niveau", Of: "level", Label: l.T("workshop.level"), Look: oneOf, Options: options(l, []computers.Level{computers.Purge, computers.Clear, computers.Destroy}, levels), Needed: true},
				{Name: "methode", Of: "method", Label: l.T("workshop.method"), Hint: l.T("workshop.method_hint"), Look: line, Most: mostName, Needed: true},
				{Name: "outil", Of: "tool", Label: l.T("workshop.tool"), Look: line, Most: mostName, Needed: true},
				{Name: "version", Of: "tool_version", Label: l.T("workshop.tool_version"), Look: line, Most: mostSerial},
				{Name: "resultat", Of: "result", Label: l.T("workshop.result"), Look: oneOf, Options: options(l, []computers.Result{computers.Passed, computers.Failed}, results), Needed: true},
				dayField(l, "jour", "workshop.on_day", today),
				{Name: "rapport", Of: "report", Label: l.T("workshop.report"), Hint: l.T("workshop.report_hint"), Look: aFile},
				{Name: "numero_lu", Of: "report_serial", Label: l.T("workshop.report_serial"), Hint: l.T("workshop.report_serial_hint"), Look: line, Most: mostSerial},
				{Name: "verifie", Of: "verified_by", Label: l.T("workshop.verified_by"), Hint: l.T("workshop.verified_hint"), Look: line, Most: mostName},
			}
		},
		do: func(h *Handler, c echo.Context, m computers.Sheet) (string, error) {
			t := &typed{c: c}
			w := computers.Wipe{Drive: computers.DriveID(c.FormValue("disque")), Level: pick(t, "niveau", "level", []computers.Level{computers.Clear, computers.Purge, computers.Destroy}),
				Method: t.words("methode", "method", true, mostName), Tool: t.words("outil", "tool", true, mostName), ToolVersion: t.words("version", "tool_version", false, mostSerial),
				Result: pick(t, "resultat", "result", []computers.Result{computers.Passed, computers.Failed}), On: t.day("jour", "on"),
				ReadSerial: t.words("numero_lu", "report_serial", false, mostSerial), VerifiedBy: t.words("verifie", "verified_by", false, mostName)}
			var err error
			if w.Report, err = sentFile(c, "rapport", computers.MostReportBytes); err != nil {
				t.refuse("report", "computers.report_too_long", computers.MostReportBytes>>10)
			}
			if err := t.err(); err != nil {
				return "", err
			}
			_, err = h.Machines.RecordWipe(c.Request().Context(), who(c), m.ID, w, h.Now())
			return "", atField(err, "report", computers.ErrReport, computers.ErrReportEmpty)
		}}
}

// atField puts what a person is told beside a field, where it is one of these.
func atField(err error, of string, known ...*problem.Error) error {
	for _, one := range known {
		if errors.Is(err, one) {
			return fault(of, one.Message, one.Args...)
		}
	}
	return err
}

var errFileLong = errors.New("file is longer than is read")

// sentFile reads the file of a form, nil where none was chosen.
func sentFile(c echo.Context, name string, most int64) (text []byte, err error) {
	header, err := c.FormFile(name)
	if errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart) || err == nil && header.Size == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, &problem.Error{Kind: problem.Invalid, Message: "error.malformed", Err: err}
	}
	if header.Size > most {
		return nil, errFileLong
	}
	file, err := header.Open()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return io.ReadAll(io.LimitReader(file, most))
}

func driveAction() action {
	return action{slug: "disque", title: "workshop.act_drive", button: "workshop.do_drive", roles: computers.Workshop,
		fits: in(open...), first: func(m computers.Sheet) bool { return len(m.Drives) == 0 },
		ask: func(l web.Language, _ computers.Sheet, _ civil.Date) []field { return driveFields(l, true) },
		do: func(h *Handler, c echo.Context, m computers.Sheet) (string, error) {
			t := &typed{c: c}
			d := t.drive(true)
			if err := t.err(); err != nil {
				return "", err
			}
			_, err := h.Machines.AddDrive(c.Request().Context(), who(c), m.ID, d, h.Now())
			return "", atField(err, "drive_serial", computers.ErrDriveTaken)
		}}
}

func driveFields(l web.Language, needed bool) []field {
	return []field{
		{Name: "disque_serie", Of: "drive_serial", Label: l.T("workshop.drive_serial"), Look: line, Most: mostSerial, Needed: needed},
		field{Name: "disque_type", Of: "medium", Label: l.T("workshop.medium"), Look: choose, Options: options(l, computers.Media, media)}.chosen(string(computers.HDD)),
		{Name: "disque_taille", Of: "size_gb", Label: l.T("workshop.size"), Look: line, Most: 6, Mode: "numeric"},
	}
}

func (t *typed) drive(needed bool) computers.Drive {
	return computers.Drive{Serial: strings.ToUpper(t.words("disque_serie", "drive_serial", needed, mostSerial)), Medium: pick(t, "disque_type", "medium", computers.Media),
		SizeGB: int(t.number("disque_taille", "size_gb", 100_000))}
}

// number reads a whole number from 0 to most; nothing is 0.
func (t *typed) number(name, of string, most int64) int64 {
	text := said(t.c, name)
	if text == "" {
		return 0
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > most {
		t.refuse(of, "field.out_of_range", 0, most)
		return 0
	}
	return n
}

func testAction() action {
	return action{slug: "essais", title: "workshop.act_test", button: "workshop.do_test", roles: computers.Workshop,
		fits: in(computers.Testing), first: func(m computers.Sheet) bool { return slices.Contains(m.Lacks, error(computers.ErrUntested)) },
		ask: func(l web.Language, m computers.Sheet, today civil.Date) []field {
			var fields []field
			for _, i := range computers.CurrentChecklist().For(m.Form) {
				answers := []computers.Outcome{computers.Pass, computers.Fail}
				if !i.Mandatory {
					answers = append(answers, computers.None)
				}
				fields = append(fields, field{Name: i.Key, Of: "results." + i.Key, Label: l.T(items[i.Key]), Look: oneOf, Options: options(l, answers, outcomes), Needed: true})
			}
			return append(fields, dayField(l, "jour", "workshop.on_day", today))
		},
		do: func(h *Handler, c echo.Context, m computers.Sheet) (string, error) {
			t := &typed{c: c}
			list := computers.CurrentChecklist()
			r := computers.TestRun{Checklist: list.Version, Results: map[string]computers.Outcome{}, On: t.day("jour", "on")}
			for _, i := range list.For(m.Form) {
				r.Results[i.Key] = pick(t, i.Key, "results."+i.Key, computers.Outcomes)
			}
			if err := t.err(); err != nil {
				return "", err
			}
			_, err := h.Machines.RecordTest(c.Request().Context(), who(c), m.ID, r, h.Now())
			return "", err
		}}
}

func gradeAction() action {
	return action{slug: "notes", title: "workshop.act_grade", button: "workshop.do_grade", roles: computers.Workshop, versioned: true,
		fits: in(open...), first: func(m computers.Sheet) bool {
			return m.State == computers.Testing && slices.Contains(m.Lacks, error(computers.ErrUngraded))
		},
		ask: func(l web.Language, m computers.Sheet, _ civil.Date) []field {
			all := options(l, computers.Grades, grades)
			return []field{
				field{Name: "aspect", Of: "grade_appearance", Label: l.T("workshop.appearance"), Look: oneOf, Options: all, Needed: true}.chosen(string(m.GradeAppearance)),
				field{Name: "fonction", Of: "grade_function", Label: l.T("workshop.function"), Look: oneOf, Options: all, Needed: true}.chosen(string(m.GradeFunction)),
			}
		},
		do: func(h *Handler, c echo.Context, m computers.Sheet) (string, error) {
			t := &typed{c: c}
			appearance, function := pick(t, "aspect", "grade_appearance", computers.Grades), pick(t, "fonction", "grade_function", computers.Grades)
			if err := t.err(); err != nil {
				return "", err
			}
			version, err := seenOf(c)
			if err != nil {
				return "", err
			}
			return "", h.Machines.Regrade(c.Request().Context(), who(c), m.ID, version, appearance, function, h.Now())
		}}
}

func moveAction() action {
	return action{slug: "etape", title: "workshop.act_move", button: "workshop.do_move", roles: computers.Workshop,
		fits: func(m computers.Sheet) bool {
			return len(m.Next) > 0 && slices.Contains(append(open, computers.Ready), m.State)
		},
		first: func(m computers.Sheet) bool { return m.State != computers.Ready },
		ask: func(l web.Language, m computers.Sheet, today civil.Date) []field {
			to := field{Name: "vers", Of: "to", Label: l.T("workshop.next_step"), Look: oneOf, Options: options(l, m.Next, moves), Needed: true}
			if len(m.Next) == 1 {
				to = to.chosen(string(m.Next[0]))
			}
			return []field{to, dayField(l, "jour", "workshop.on_day", today), {Name: "remarque", Of: "note", Label: l.T("workshop.note"), Look: line, Most: mostNote}}
		},
		do: func(h *Handler, c echo.Context, m computers.Sheet) (string, error) {
			t := &typed{c: c}
			step := computers.Move{To: pick(t, "vers", "to", m.Next), On: t.day("jour", "on"), Note: t.words("remarque", "note", false, mostNote)}
			if err := t.err(); err != nil {
				return "", err
			}
			err := h.Machines.Move(c.Request().Context(), who(c), m.ID, step, h.Now())
			return "", atField(err, "to", computers.ErrUnwiped, computers.ErrUntested, computers.ErrUngraded, computers.ErrNoDrive, computers.ErrDefect)
		}}
}

func defectAction() action {
	return action{slug: "defaut", title: "workshop.act_defect", button: "workshop.do_defect", roles: computers.Workshop,
		fits: in(append(open, computers.InRepair)...), first: never,
		ask: func(l web.Language, _ computers.Sheet, _ civil.Date) []field {
			return []field{{Name: "texte", Of: "text", Label: l.T("workshop.defect"), Look: line, Most: mostNote, Needed: true}}
		},
		do: func(h *Handler, c echo.Context, m computers.Sheet) (string, error) {
			t := &typed{c: c}
			words := t.words("texte", "text", true, mostNote)
			if err := t.err(); err != nil {
				return "", err
			}
			_, err := h.Machines.NoteDefect(c.Request().Context(), who(c), m.ID, words, h.Now())
			return "", err
		}}
}

// mended is the action that stands beside a defect.
func mended(d computers.Defect) action {
	return action{slug: "repare", title: "workshop.act_mended", button: "workshop.do_mended", roles: computers.Workshop, fits: never, first: never,
		mark: []option{{ID: "defaut", Name: d.ID}},
		do: func(h *Handler, c echo.Context, m computers.Sheet) (string, error) {
			return "", h.Machines.MendDefect(c.Request().Context(), who(c), m.ID, c.FormValue("defaut"), h.Now())
		}}
}
