package installer_test

import (
	"bytes"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/xnetroseraie/xnet/api/meters/meterstest"
	"github.com/xnetroseraie/xnet/dashboards/web/webtest"
)

// The steps are for the cellar: one sheet of A4 holds them, with the code. On a
// telephone nothing is cut off, and everything can be touched.
func TestStepsOnOneSheetAndOnATelephone(t *testing.T) {
	site := open(t, nil)
	p := webtest.Sit(t, site.URL, site.Invite(t, meterstest.Installer))
	p.Reads("Équipements")
	for path, words := range map[string]string{stepsOfR: "Débranchez l’ancienne", "/equipements/passerelles/gw-r2/pose": "Tirez le câble des compteurs"} {
		p.Goes(path)
		p.Press("Donner un code")
		p.Reads("Il ne sert qu’une fois.", words)
		pdf, err := chromedp.Run(p.Context, chromedp.PrintToPDF(chromedp.PDFPaper(chromedp.PaperA4)))
		if err != nil {
			t.Fatal(err)
		}
		if pages := bytes.Count(pdf, []byte("/Type /Page\n")); pages != 1 {
			t.Errorf("%s takes %d sheets", path, pages)
		}
		p.Sound(path)
	}
	for _, path := range []string{stepsOfR, newGateway} {
		for _, code := range []string{"fr", "en"} {
			for _, width := range webtest.Widths() {
				webtest.Look(p.Context, t, webtest.Screen{Name: fmt.Sprintf("installer%s-%s-%d", strings.ReplaceAll(path, "/", "-"), code, width), Width: width, Unfold: true,
					Address: site.URL + "/langue/" + code + "?retour=" + url.QueryEscape(path)})
			}
		}
	}
}
