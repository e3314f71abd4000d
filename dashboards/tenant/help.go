package tenant

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/dashboards/web"
)

const helpPath = "/aide"

type helpView struct {
	web.Chrome
	HomeLink string
	Lessons  []lesson
}

// A lesson is one thing explained beside its picture.
type lesson struct {
	Picture string // a name of pictures.html
	Title   string
	Lines   []string
}

var helpPage = web.MustPage[helpView](templates, "templates/help.html", "templates/pictures.html")

// help serves GET /aide: how to read these pages, in pictures.
func (h *Handler) help(c echo.Context) error {
	view := helpView{Chrome: h.Site.Chrome(c, "help.title"), HomeLink: "/"}
	view.Lessons = lessons(view.Language)
	return helpPage.Render(c, http.StatusOK, view)
}

// numberPicture is the picture of two indexes, with the language's decimal sign.
func numberPicture(l web.Language) string {
	if l.Code() == "en" {
		return "why-point"
	}
	return "why"
}

func lessons(l web.Language) []lesson {
	return []lesson{
		{"bars", l.T("help.bars"), []string{l.T("help.bars_each"), l.T("help.bars_high"), l.T("help.bars_grey")}},
		{"arrows", l.T("help.arrows"), []string{l.T("help.arrows_down"), l.T("help.arrows_up"), l.T("help.arrows_same")}},
		{"hatch", l.T("help.hatch"), []string{l.T("help.hatch_why"), l.T("help.hatch_total")}},
		{numberPicture(l), l.T("help.why"), []string{l.T("help.why_click"), l.T("help.why_shows")}},
		{"bigger", l.T("help.bigger"), []string{l.T("help.bigger_keys"), l.T("help.bigger_phone"), l.T("help.bigger_contrast")}},
		{"print", l.T("help.print"), []string{l.T("help.print_link"), l.T("help.print_keys"), l.T("help.print_phone"), l.T("help.print_none")}},
		{"phone", l.T("help.phone"), []string{l.T("help.phone_free"), l.T("help.phone_letter")}},
	}
}
