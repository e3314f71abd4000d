package computers

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// A Medium is what a drive writes on.
type Medium string

// The media.
const (
	HDD         Medium = "hdd"
	SSD         Medium = "ssd"
	NVMe        Medium = "nvme"
	EMMC        Medium = "emmc"
	OtherMedium Medium = "other"
)

// Media lists the media.
var Media = []Medium{HDD, SSD, NVMe, EMMC, OtherMedium}

// A Drive is a medium in a machine, with evidence of its own: a machine with two
// drives needs two wipes.
type Drive struct {
	ID        DriveID
	Serial    string
	Medium    Medium
	Maker     string
	Model     string
	SizeGB    int
	Destroyed bool // it is no more
	Wiped     bool // the last wipe in this cycle of the machine passed
}

// A Level is how thoroughly a drive was wiped (NIST SP 800-88).
type Level string

// The levels. Overwriting is only Clear; flash wants the drive's own command,
// which is Purge.
const (
	Clear   Level = "clear"
	Purge   Level = "purge"
	Destroy Level = "destroy"
)

// Suffices reports whether the level is enough for a medium that leaves the
// workshop: flash keeps what was overwritten, so that Clear is not.
func (l Level) Suffices(m Medium) bool {
	return l != Clear || m == HDD
}

// A Result is how a wipe ended.
type Result string

// The results.
const (
	Passed Result = "passed"
	Failed Result = "failed"
)

// A Wipe is the evidence of one attempt to wipe one drive.
type Wipe struct {
	ID          WipeID
	Drive       DriveID
	Cycle       int // of the machine; see [Machine]
	Level       Level
	Method      string
	Tool        string
	ToolVersion string
	Result      Result
	On          civil.Date
	By          accounts.PersonID
	// Report is what the tool wrote; nil where there is none, and where wipes are
	// listed. SHA256 is that of the report's bytes in hexadecimal digits.
	Report []byte
	SHA256 string
	Form   ReportForm
	// ReadSerial is the drive's serial as somebody read and typed it from a report
	// that is a PDF; it is asked for and not kept.
	ReadSerial string
	// VerifiedBy is the name of who looked whether the wipe had worked: needed for
	// one that passed and of which no tool wrote anything.
	VerifiedBy string
}

// A ReportForm is what a tool's report is written as.
type ReportForm string

// The forms.
const (
	NoReport   ReportForm = ""
	TextReport ReportForm = "text"
	PDFReport  ReportForm = "pdf"
)

// FormOf says what a report is, false where it is neither text nor PDF. Of no
// bytes it is [NoReport].
func FormOf(report []byte) (ReportForm, bool) {
	if len(report) == 0 {
		return NoReport, true
	}
	if bytes.HasPrefix(report, []byte("%PDF-")) {
		return PDFReport, true
	}
	_, isText := reportText(report)
	return TextReport, isText
}

// MostReportBytes is the longest report of a tool that is kept.
const MostReportBytes = 512 << 10

// CheckReport holds that a tool's report, as text, names the drive with this
// serial, and no other known drive of another machine. It fails with
// [ErrReportEmpty] or [ErrReport]. Serials are looked for whole, whatever their
// case.
func CheckReport(report []byte, serial string, elsewhere []string) error {
	words := reportWords(report)
	own := words[strings.ToUpper(serial)]
	for _, other := range elsewhere {
		if words[strings.ToUpper(other)] {
			return ErrReport
		}
	}
	if !own {
		return ErrReportEmpty
	}
	return nil
}

// reportWords are the words of a report that may be serials, in capitals.
func reportWords(report []byte) map[string]bool {
	text, ok := reportText(report)
	if !ok {
		return nil
	}
	return serialWords(text)
}

// reportText returns a report as text, or false for what is none, such as PDF.
func reportText(report []byte) (string, bool) {
	if len(report) == 0 || bytes.IndexByte(report, 0) >= 0 || bytes.HasPrefix(report, []byte("%PDF")) {
		return "", false
	}
	if utf8.Valid(report) {
		return string(report), true
	}
	text, err := charmap.Windows1252.NewDecoder().Bytes(report)
	return string(text), err == nil
}

// serialWords are the words of a text that may be serials, in capitals.
func serialWords(text string) map[string]bool {
	words := map[string]bool{}
	inWord := func(r rune) bool {
		return r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.'
	}
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return !inWord(r) }) {
		words[strings.ToUpper(word)] = true
		words[strings.ToUpper(strings.Trim(word, "-_."))] = true
	}
	return words
}
