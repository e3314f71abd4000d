package document_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/document"
)

var update = flag.Bool("update", false, "write the goldens anew")

func head(title, number string, recipient ...string) document.Head {
	return document.Head{Language: "fr", Sender: []string{"Le Toit des Roses", "1 place de la Mairie", "49000 Angers", "02 41 00 00 00"},
		Recipient: recipient, Date: "Le mercredi 18 mars 2026", Title: title, Number: number}
}

var (
	gulsah = []string{"Mme Gülşah Łukaszewicz-Œuvrard", "Bât. A, esc. 2, logt 12", "La Roseraie", "12 rue des Rosiers", "49000 Angers"}
	claire = document.Help{Sentence: "Besoin d’aide ? Appelez Claire Moreau.", Telephone: "02 41 00 00 00"}
	legal  = []string{"Garantie légale de conformité : 2 ans à partir de la remise de l’ordinateur.",
		"Une panne dans les 12 premiers mois est présumée venir de l’ordinateur : vous n’avez rien à prouver."}
)

func receipt() document.Receipt {
	return document.Receipt{Head: head("Reçu de votre achat", "Reçu n° 2026-00042", gulsah...),
		Lines: []document.ReceiptLine{{What: "Ordinateur d’occasion, portable", Details: []string{"Dell Latitude E5470", "Étiquette XR-000123, n° de série 7XK2Q32"}, Price: "60,00\u00a0€"}},
		Total: document.ReceiptLine{What: "Total payé", Price: "60,00\u00a0€"}, Paid: "Payé en espèces le mercredi 18 mars 2026.",
		GuaranteeHead: "Votre garantie", Guarantee: append([]string{"Garantie du programme : 1 an à partir du jour de l’achat."}, legal...),
		Signatures: []string{"Pour Le Toit des Roses"}, Notes: []string{"TVA non applicable."}, Help: claire}
}

func guaranteeSheet() document.GuaranteeSheet {
	return document.GuaranteeSheet{Head: head("Votre garantie", "Ordinateur XR-000123"), UntilHead: "Votre ordinateur est réparé gratuitement jusqu’au", Until: "vendredi 20 mars 2028",
		Machine:       []document.Fact{{Name: "Ordinateur", Text: "Dell Latitude E5470"}, {Name: "Numéro de série", Text: "7XK2Q32"}, {Name: "Accessoires remis", Text: "chargeur, souris, sacoche, notice d’utilisation, clé USB de secours"}},
		GuaranteeHead: "Deux garanties", Guarantees: []document.Guarantee{
			{Name: "Garantie du programme", Start: "du 18 mars 2026", End: "au 18 mars 2027", Explanation: "Elle commence le jour de l’achat."},
			{Name: "Garantie légale", Start: "du 20 mars 2026", End: "au 20 mars 2028", Explanation: "Elle commence le jour où l’ordinateur vous est remis."}},
		RepairsHead: "Réparations", Repairs: []string{"Écran remplacé, rendu le 4 mai 2026 : 6 mois de garantie en plus."},
		HowHead: "En panne ?", How: []string{"Appelez l’atelier ou Claire Moreau.", "Apportez l’ordinateur avec son chargeur.", "Il est réparé ou remplacé en 30 jours au plus."},
		Mention: legal, Signatures: []string{"Le locataire, reçu l’ordinateur et ses accessoires", "L’atelier"}, Help: claire}
}

func attendance(enrolled int) document.AttendanceSheet {
	a := document.AttendanceSheet{Head: head("Feuille de présence", "Premiers pas sur l’ordinateur"),
		Session:    []document.Fact{{Name: "Quand", Text: "mercredi 18 mars 2026, 14:00 à 16:00"}, {Name: "Où", Text: "Cyber centre de la Roseraie, 5 allée des Tilleuls"}, {Name: "Partenaire", Text: "Terre des Sciences"}},
		NameColumn: "Nom", SignColumn: "Signature", NoteColumn: "Remarque", Spare: 2, Notes: []string{"Chaque personne signe sur sa ligne."}, Signatures: []string{"Qui anime la séance"}}
	for i := range enrolled {
		a.Names = append(a.Names, fmt.Sprintf("Participante nº %d Aït-Œuvrard", i+1))
	}
	return a
}

func certificate() document.Certificate {
	return document.Certificate{Head: head("Attestation de formation", "n° 2026-0007"), Opening: "Nous attestons que", Name: "Gülşah Łukaszewicz-Œuvrard",
		Sentence: "a suivi la formation « Premiers pas sur l’ordinateur ».", ThemesHead: "Au programme",
		Themes: []string{"Allumer, écrire, imprimer", "Internet et le courrier électronique", "Lire ma consommation", "La sécurité"},
		Facts:  []document.Fact{{Name: "Quand", Text: "mercredi 18 mars 2026"}, {Name: "Durée", Text: "2 heures"}, {Name: "Lieu", Text: "Cyber centre de la Roseraie"}}, Signatures: []string{"Le formateur", "Le Toit des Roses"}}
}

func statement(machines int) document.Statement {
	wide := []document.Column{{Name: "Prestation", Wide: 90}, {Name: "Nombre", Wide: 25, Right: true}, {Name: "Prix", Wide: 25, Right: true}, {Name: "Somme", Wide: 30, Right: true}}
	s := document.Statement{Head: head("Relevé de l’atelier, février 2026", "n° 2026-02", "Le Toit des Roses", "1 place de la Mairie", "49000 Angers"), Lead: "Travaux du 1er au 28 février 2026.",
		Sections: []document.StatementSection{
			{Title: "Prestations", Table: document.Table{Columns: wide, Rows: [][]string{{"Ordinateur remis en état", "12", "55,00\u00a0€", "660,00\u00a0€"}, {"Réparation sous garantie", "2", "30,00\u00a0€", "60,00\u00a0€"}}}},
			{Title: "Délais de réparation", Facts: []document.Fact{{Name: "Réparations rendues", Text: "2"}, {Name: "Délai médian", Text: "3 jours ouvrés"}}},
			{Title: "Ordinateurs vendus", Empty: "Aucun ce mois."}},
		TotalName: "Total", Total: "720,00\u00a0€", Signatures: []string{"L’atelier", "Le Toit des Roses"}}
	if machines > 0 {
		s.Sections[2].Table.Columns = []document.Column{{Name: "Étiquette", Wide: 40}, {Name: "Ordinateur", Wide: 100}, {Name: "Prix", Wide: 30, Right: true}}
	}
	for i := range machines {
		s.Sections[2].Table.Rows = append(s.Sections[2].Table.Rows, []string{fmt.Sprintf("XR-%06d", i), "Dell Latitude E5470 avec un nom qui est si long qu’il prend deux lignes", "60,00\u00a0€"})
	}
	return s
}

func labels(n int) []document.Label {
	var all []document.Label
	for i := range n {
		tag := fmt.Sprintf("XR-%06d", 123+i)
		all = append(all, document.Label{Tag: tag, QR: tag, Lines: []string{"Dell Latitude E5470", "N° de série 7XK2Q32", "Atelier de la Roseraie", "02 41 00 00 00"}})
	}
	return all
}

// sheets are one of each, as they are read in the workshop.
var sheets = map[string]func() ([]byte, error){
	"labels":      func() ([]byte, error) { return document.Labels("fr", "Étiquettes", 22, labels(5)) },
	"receipt":     func() ([]byte, error) { return document.ReceiptPage(receipt()) },
	"guarantee":   func() ([]byte, error) { return document.GuaranteePage(guaranteeSheet()) },
	"attendance":  func() ([]byte, error) { return document.AttendancePages(attendance(21)) },
	"certificate": func() ([]byte, error) { return document.CertificatePage(certificate()) },
	"statement":   func() ([]byte, error) { return document.StatementPages(statement(30)) },
}

// Each sheet says what its golden has, word by word and in its place; the same is
// written twice byte for byte; and its properties tell nobody's name.
func TestSheets(t *testing.T) {
	for name, write := range sheets {
		t.Run(name, func(t *testing.T) {
			pdf, err := write()
			if err != nil {
				t.Fatal(err)
			}
			again, err := write()
			if err != nil || !bytes.Equal(pdf, again) {
				t.Errorf("written twice it is not the same: %v", err)
			}
			if bytes.Contains(pdf, []byte("ukaszewicz")) || len(pdf) > 200_000 {
				t.Errorf("a name stands in the open, or %d bytes are too many", len(pdf))
			}
			keep(t, name, pdf)
			golden(t, filepath.Join("testdata", name+".golden"), layout(t, pdf))
		})
	}
}

func keep(t *testing.T, name string, pdf []byte) {
	t.Helper()
	if folder := os.Getenv("XNET_SCREENSHOTS"); folder != "" {
		if err := os.WriteFile(filepath.Join(folder, name+".pdf"), pdf, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got); go test ./api/document -update writes it anew:\n%s", path, diff)
	}
}

var (
	streams = regexp.MustCompile(`(?s)stream\n(.*?)\nendstream`)
	shown   = regexp.MustCompile(`(?s)BT ([\d.]+) ([\d.]+) Td \((.*?)\) Tj ET`)
	escapes = strings.NewReplacer(`\\`, `\`, `\(`, `(`, `\)`, `)`, `\r`, "\r")
)

// layout is a document's text by page and place in millimetres from the left and
// the upper edge.
func layout(t *testing.T, pdf []byte) string {
	t.Helper()
	var all strings.Builder
	page := 0
	for _, found := range streams.FindAllSubmatch(pdf, -1) {
		z, err := zlib.NewReader(bytes.NewReader(found[1]))
		if errors.Is(err, zlib.ErrHeader) {
			continue // a table of letters
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		texts := shown.FindAllSubmatch(content, -1)
		if len(texts) == 0 {
			continue // a font
		}
		page++
		fmt.Fprintf(&all, "page %d\n", page)
		for _, one := range texts {
			fmt.Fprintf(&all, "%4.0f %4.0f  %s\n", inMM(t, one[1]), 297-inMM(t, one[2]), decoded(one[3]))
		}
	}
	return all.String()
}

func inMM(t *testing.T, points []byte) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(string(points), 64)
	if err != nil {
		t.Fatal(err)
	}
	return x * 25.4 / 72
}

func decoded(escaped []byte) string {
	plain := []byte(escapes.Replace(string(escaped)))
	units := make([]uint16, len(plain)/2)
	for i := range units {
		units[i] = binary.BigEndian.Uint16(plain[2*i:])
	}
	return string(utf16.Decode(units))
}

// Sheets that are made at once spoil nothing of each other: the fonts are theirs.
func TestSheetsAtOnce(t *testing.T) {
	want, err := sheets["labels"]()
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if got, err := sheets["labels"](); err != nil || !bytes.Equal(want, got) {
				t.Errorf("made beside others it is not the same: %v", err)
			}
		})
	}
	all.Wait()
}

// A sheet goes on over the page, its table with its head, every row once.
func TestLongSheetsGoOn(t *testing.T) {
	pdf, err := document.StatementPages(statement(200))
	if err != nil {
		t.Fatal(err)
	}
	text := layout(t, pdf)
	pages := strings.Count(text, "page ")
	if heads := strings.Count(text, "Étiquette\n"); pages < 5 || heads < pages-1 || !strings.Contains(text, fmt.Sprintf("%d/%d", pages, pages)) {
		t.Errorf("%d pages, %d heads of the table", pages, heads)
	}
	for i := range 200 {
		if n := strings.Count(text, fmt.Sprintf("XR-%06d\n", i)); n != 1 {
			t.Errorf("machine %d stands %d times", i, n)
		}
	}
	for _, one := range regexp.MustCompile(`(?m)^ *\d+ +(\d+) `).FindAllStringSubmatch(text, -1) {
		if y, _ := strconv.Atoi(one[1]); y > 290 {
			t.Errorf("a line at %d mm falls off the paper", y)
		}
	}
}

func TestSheetsRefuse(t *testing.T) {
	silent, unnamed, uncounted := receipt(), guaranteeSheet(), guaranteeSheet()
	silent.Guarantee, unnamed.Mention, uncounted.Guarantees = nil, nil, nil
	crowded := receipt()
	crowded.Recipient = make([]string, 7)
	wordy := certificate()
	wordy.Sentence = strings.Repeat("Encore une phrase. ", 200)
	spare := attendance(1)
	spare.Spare = -1
	long := labels(1)
	long[0].QR = strings.Repeat("x", 4000)
	tall := labels(1)
	tall[0].Lines = make([]string, 5)
	for name, tt := range map[string]struct {
		write func() ([]byte, error)
		want  error
	}{
		"receipt without the mention":   {func() ([]byte, error) { return document.ReceiptPage(silent) }, document.ErrMention},
		"guarantee without the mention": {func() ([]byte, error) { return document.GuaranteePage(unnamed) }, document.ErrMention},
		"guarantee of nothing":          {func() ([]byte, error) { return document.GuaranteePage(uncounted) }, document.ErrMention},
		"seven lines of address":        {func() ([]byte, error) { return document.ReceiptPage(crowded) }, document.ErrTooLong},
		"certificate of two pages":      {func() ([]byte, error) { return document.CertificatePage(wordy) }, document.ErrTooLong},
		"less than no free line":        {func() ([]byte, error) { return document.AttendancePages(spare) }, document.ErrTooLong},
		"no label":                      {func() ([]byte, error) { return document.Labels("fr", "t", 0, nil) }, document.ErrLabels},
		"place 24 of 24":                {func() ([]byte, error) { return document.Labels("fr", "t", 24, labels(1)) }, document.ErrLabels},
		"five lines on a label":         {func() ([]byte, error) { return document.Labels("fr", "t", 0, tall) }, document.ErrLabels},
		"a code that is too long":       {func() ([]byte, error) { return document.Labels("fr", "t", 0, long) }, document.ErrQR},
	} {
		if _, err := tt.write(); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
}

// Whatever a name holds, the sheets are made or refused, and end.
func FuzzSheets(f *testing.F) {
	for _, name := range []string{"Amina Diallo", "محمد", "😀", "\xff\xfe", "a\x00b", strings.Repeat("W", 400), "", "\u200f\u202e", strings.Repeat("x ", 300)} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		r, g, a, c, s := receipt(), guaranteeSheet(), attendance(2), certificate(), statement(1)
		r.Lines[0].What, r.Recipient[0], g.Machine[0].Text, a.Names[0], c.Name, c.Sentence, s.Sections[2].Table.Rows[0][0] = name, name, name, name, name, name, name
		for i, write := range []func() ([]byte, error){func() ([]byte, error) { return document.ReceiptPage(r) }, func() ([]byte, error) { return document.GuaranteePage(g) },
			func() ([]byte, error) { return document.AttendancePages(a) }, func() ([]byte, error) { return document.CertificatePage(c) },
			func() ([]byte, error) { return document.StatementPages(s) }, func() ([]byte, error) {
				return document.Labels("fr", name, 0, []document.Label{{Tag: name, QR: "x", Lines: []string{name}}})
			}} {
			if _, err := write(); err != nil && !errors.Is(err, document.ErrTooLong) {
				t.Errorf("sheet %d of %q: %v", i, name, err)
			}
		}
	})
}
