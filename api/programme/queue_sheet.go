package programme

import (
	"fmt"
	"strings"

	"github.com/xnetroseraie/xnet/api/document"
)

func matterText(m Matter) string {
	return map[Matter]string{Leak: "programme.matter_leak", Cold: "programme.matter_cold", Repair: "programme.matter_repair",
		Untaught: "programme.matter_training", Arrival: "programme.matter_arrival", Renewal: "programme.matter_consent", Dial: "programme.matter_dial",
		FollowUp: "programme.matter_follow_up", NoteDue: "programme.matter_note", Expiry: "programme.matter_convention"}[m]
}

// MatterText is the catalogue's key of what a matter asks for.
func MatterText(m Matter) string { return matterText(m) }

// OutcomeText is the catalogue's key of what was done.
func OutcomeText(o Outcome) string {
	return map[Outcome]string{Called: "programme.outcome_called", Visited: "programme.outcome_visited", Written: "programme.outcome_written",
		Settled: "programme.outcome_settled", NotReached: "programme.outcome_not_reached", NotNeeded: "programme.outcome_not_needed"}[o]
}

// mostReasons is how many matters of a line stand on the sheet: twelve lines must
// fit on one page.
const mostReasons = 2

// A SheetLine is a line of the week's list in words.
type SheetLine struct {
	Number int
	Door   string
	Names  string
	Why    string
	Limit  string // day by which it is to be seen to
	Urgent bool
}

// SheetLines says the lines of a queue in a language, for a page or for print.
func (p Printer) SheetLines(language string, q Queue) []SheetLine {
	all := make([]SheetLine, len(q.Lines))
	for n, l := range q.Lines {
		line := SheetLine{Number: n + 1, Door: l.Title, Names: strings.Join(l.Names, ", "), Limit: p.Date(language, l.Limit), Urgent: l.Urgent}
		if l.Door.Label != "" {
			line.Door = p.Door(language, l.Door.Label, l.Door.Building, l.Door.Staircase)
		}
		var why []string
		for _, r := range l.Reasons[:min(len(l.Reasons), mostReasons)] {
			if text := p.Say(language, matterText(r.Matter)); len(why) == 0 || why[len(why)-1] != text {
				why = append(why, text)
			}
		}
		if more := len(l.Reasons) - mostReasons; more > 0 {
			why = append(why, p.Say(language, "programme.more_matters", more))
		}
		line.Why = strings.Join(why, " ")
		all[n] = line
	}
	return all
}

// SheetPDF writes the week's list on one A4 page, to be ticked by hand.
func (p Printer) SheetPDF(language string, q Queue) ([]byte, error) {
	say := func(key string, args ...any) string { return p.Say(language, key, args...) }
	table := document.Table{Columns: []document.Column{{Name: say("programme.column_number"), Wide: 9, Right: true}, {Name: say("programme.column_who"), Wide: 62},
		{Name: say("programme.column_why"), Wide: 62}, {Name: say("programme.column_limit"), Wide: 26}, {Name: say("programme.column_done"), Wide: 13}}}
	for _, l := range p.SheetLines(language, q) {
		why := l.Why
		if l.Urgent {
			why = say("programme.urgent") + " " + why
		}
		who := l.Door
		if l.Names != "" {
			who += " – " + shortened(l.Names)
		}
		table.Rows = append(table.Rows, []string{fmt.Sprint(l.Number), who, why, l.Limit, ""})
	}
	return document.StatementPages(document.Statement{
		Head:     document.Head{Language: language, Sender: p.Sender, Date: p.Date(language, q.Today), Title: say("programme.week_title", p.Date(language, q.Monday)), Number: q.Name},
		Lead:     say("programme.week_lead", len(q.Lines), q.Waiting),
		Sections: []document.StatementSection{{Title: say("programme.week_list"), Table: table, Empty: say("programme.week_empty")}},
	})
}

// longestNames is how many letters of names stand on a line of the sheet.
const longestNames = 30

func shortened(text string) string {
	if letters := []rune(text); len(letters) > longestNames {
		return strings.TrimSpace(string(letters[:longestNames-1])) + "…"
	}
	return text
}
