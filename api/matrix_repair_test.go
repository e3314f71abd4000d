package main

import (
	"net/url"
	"strings"
	"testing"
)

// What a person types into the form for a repair is judged before it is kept: the
// fault stands beside the field with what was typed, and the same words sent twice
// are one repair.
func TestMatrixRepairForm(t *testing.T) {
	testMatrix(t, func(t *testing.T, m *matrix) {
		m.fresh(t)
		sent := func(words string) (status int, page string) {
			got := m.form(t, "ami", "/mon-ordinateur/reparation", url.Values{"ordinateur": {"M-amina"}, "panne": {words}}.Encode())
			return got.Code, got.Body.String()
		}
		repairs := func() int {
			return m.count(t, `SELECT COUNT(*) FROM repair_ticket WHERE machine_id = 'M-amina'`)
		}
		for _, tt := range []struct{ words, shown string }{{"", ""}, {"   ", `value="   "`}, {strings.Repeat("é", 1001), strings.Repeat("é", 1001)}, {"noir \u202e gauche", "noir \u202e gauche"}} {
			status, page := sent(tt.words)
			if status != 422 || repairs() != 0 || !strings.Contains(page, `aria-describedby="fault-M-amina"`) || !strings.Contains(page, `id="fault-M-amina"`) || !strings.Contains(page, tt.shown) {
				t.Errorf("panne=%.20q: status %d, %d repairs, or the page does not say why beside what was typed", tt.words, status, repairs())
			}
		}
		for _, words := range []string{"écran\x00noir", "x\xff"} { // no browser sends these
			if status, _ := sent(words); status != 422 || repairs() != 0 {
				t.Errorf("panne=%q: status %d, %d repairs", words, status, repairs())
			}
		}
		for range 2 {
			if status, _ := sent("ne démarre plus"); status != 303 || repairs() != 1 {
				t.Errorf("status %d, %d repairs, want one", status, repairs())
			}
		}
		if status, page := sent("et le clavier"); status != 409 || repairs() != 1 || !strings.Contains(page, "<bdi>et le clavier</bdi>") {
			t.Errorf("other words while a repair is open: status %d, %d repairs", status, repairs())
		}
	})
}
