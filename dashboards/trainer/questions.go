package trainer

import (
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/training"
	"github.com/xnetroseraie/xnet/dashboards/web"
)

// The questions are asked on the advisor's page and on the tenant's, in the same
// words.

// questionKeys are the five questions, by the names of their fields.
var questionKeys = []struct{ name, key string }{
	{"ordinateur", "trainer.ask_computer"}, {"internet", "trainer.ask_internet"}, {"messages", "trainer.ask_mail"},
	{"demarches", "trainer.ask_forms"}, {"prudence", "trainer.ask_safety"},
}

// answerKeys are the answers, from 0.
var answerKeys = []string{"trainer.answer_0", "trainer.answer_1", "trainer.answer_2", "trainer.answer_3"}

// A Question is one of the five, with its answers.
type Question struct {
	Name, Text string
	Answers    []Choice
}

// questions are the five with what was chosen, by field.
func questions(l web.Language, chosen map[string]string) []Question {
	var all []Question
	for _, q := range questionKeys {
		one := Question{Name: q.name, Text: l.T(q.key)}
		for i, key := range answerKeys {
			id := strconv.Itoa(i)
			one.Answers = append(one.Answers, Choice{id, l.T(key), chosen[q.name] == id})
		}
		all = append(all, one)
	}
	return all
}

// answersOf are the fields of a position; empty where it was not answered.
func answersOf(p training.Position) map[string]string {
	all := map[string]string{"ordinateur": "", "internet": "", "messages": "", "demarches": "", "prudence": ""}
	if p.At.IsZero() {
		return all
	}
	for name, answer := range map[string]int{"ordinateur": p.Computer, "internet": p.Internet, "messages": p.Mail, "demarches": p.Forms, "prudence": p.Safety} {
		all[name] = strconv.Itoa(answer)
	}
	return all
}

// Questions are the five with what is kept, or where typed is true with what the
// request's form says.
func Questions(c echo.Context, l web.Language, p training.Position, typed bool) []Question {
	chosen := answersOf(p)
	if typed {
		for name := range chosen {
			chosen[name] = c.FormValue(name)
		}
	}
	return questions(l, chosen)
}

// ReadPosition reads the five answers; what is missing is below every bound.
func ReadPosition(c echo.Context) training.Position {
	f := form{c}
	return training.Position{Computer: f.number("ordinateur"), Internet: f.number("internet"), Mail: f.number("messages"),
		Forms: f.number("demarches"), Safety: f.number("prudence")}
}

// LevelKey is the key of what a level is called.
func LevelKey(l training.Level) string {
	switch l {
	case training.Beginner:
		return "trainer.level_beginner"
	case training.Helped:
		return "trainer.level_helped"
	default:
		return "trainer.level_alone"
	}
}

// FollowUpChoices are the answers to the two questions of the follow-up.
func FollowUpChoices(l web.Language, still, jobs string) (used, work []Choice) {
	for _, a := range []struct {
		answer training.StillUsed
		key    string
	}{{training.UsedOften, "trainer.used_often"}, {training.UsedSometimes, "trainer.used_sometimes"}, {training.NotUsed, "trainer.used_no"}} {
		used = append(used, Choice{string(a.answer), l.T(a.key), still == string(a.answer)})
	}
	for _, a := range []struct {
		answer training.JobSearch
		key    string
	}{{training.ForJobs, "trainer.jobs_yes"}, {training.NotForJobs, "trainer.jobs_no"}, {training.NotConcerned, "trainer.jobs_other"}} {
		work = append(work, Choice{string(a.answer), l.T(a.key), jobs == string(a.answer)})
	}
	return used, work
}

// ReadFollowUp reads the answers.
func ReadFollowUp(c echo.Context) training.FollowUp {
	f := form{c}
	return training.FollowUp{StillUsed: training.StillUsed(f.text("usage")), JobSearch: training.JobSearch(f.text("emploi")), Blocked: f.text("blocage")}
}
