package tenant

import (
	"strings"

	"github.com/xnetroseraie/xnet/api/consent"
	"github.com/xnetroseraie/xnet/dashboards/web"
)

// A purposeText is what a page says of one purpose.
type purposeText struct {
	purpose       consent.Purpose
	title, effect string
	// versions holds the key of each text that was ever agreed to, the first
	// first. A text that was agreed to is never changed: another one is added.
	versions []string
}

var purposeTexts = []purposeText{
	{consent.DailyFollowUp, "consent.daily_title", "consent.daily_effect", []string{"consent.daily_text_1"}},
	{consent.FineCurve, "consent.fine_title", "consent.fine_effect", []string{"consent.fine_text_1"}},
	{consent.PersonalAdvice, "consent.advice_title", "consent.advice_effect", []string{"consent.advice_text_1"}},
}

func textOf(p consent.Purpose) (purposeText, bool) {
	for _, t := range purposeTexts {
		if t.purpose == p {
			return t, true
		}
	}
	return purposeText{}, false
}

// sentences splits a text of the catalogue, one a line on the page.
func sentences(l web.Language, key string) []string {
	var all []string
	for one := range strings.SplitAfterSeq(l.T(key), ". ") {
		all = append(all, strings.TrimSpace(one))
	}
	return all
}

// Keys of what a list says; each by what the store calls it.
var (
	endingTexts = map[consent.Ending]string{consent.Withdrawn: "mydata.ended_withdrawn", consent.Expired: "mydata.ended_expired", consent.Left: "mydata.ended_left"}
	erasedTexts = map[consent.What]string{consent.Fine: "mydata.erase_fine", consent.Daily: "mydata.erase_daily", consent.All: "mydata.erase_all"}
	whyTexts    = map[consent.Why]string{consent.ByWithdrawal: "mydata.by_withdrawn", consent.ByRequest: "mydata.by_request",
		consent.ByMove: "mydata.by_move", consent.ByRetention: "mydata.by_retention"}
	channelTexts = map[consent.Channel]string{consent.OnPaper: "mydata.on_paper", consent.ByTelephone: "mydata.by_telephone"}
)

// myDataDone maps what ?fait= says to a text.
var myDataDone = map[string]string{
	"oui":            "mydata.done_yes",
	"non":            "mydata.done_no",
	"efface":         "mydata.done_erased",
	"aidant-termine": "mydata.done_helper_end",
}
