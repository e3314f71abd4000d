package document_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xnetroseraie/xnet/api/document"
)

func letter() document.Invitation {
	return document.Invitation{
		Language:  "fr",
		Sender:    []string{"Le Toit des Roses", "Service des locataires", "1 place de la Mairie", "49000 Angers"},
		Recipient: []string{"Mme Gülşah Łukaszewicz-Œuvrard", "Bât. A, esc. 2, logt 12", "La Roseraie", "12 rue des Rosiers", "49000 Angers"},
		Date:      "Le mercredi 18 mars 2026",
		Title:     "Votre code pour entrer sur « Mon logement »",
		Opening: []string{"Bonjour Gülşah Łukaszewicz-Œuvrard,", "Sur ce site, vous voyez l’eau et l’énergie de votre logement.",
			"C’est gratuit. Vous n’êtes pas obligé."},
		StepsHead: "Comment faire ?",
		Steps:     []string{"Sur un ordinateur ou un téléphone, allez à l’adresse", "Tapez votre code :", "Appuyez sur « Entrer »."},
		Address:   "roseraie.example/connexion",
		QR:        "https://roseraie.example/connexion",
		QRLabel:   "Ou prenez ce carré en photo avec un téléphone.",
		Code:      "ACDE-2347-FGHJ",
		Notes: []string{"Plus tard, vous pouvez choisir un mot de passe. Votre nom pour entrer sera alors : gulsah4827",
			"Le code marche jusqu’au vendredi 23 avril 2027.", "Gardez cette lettre. Ne montrez le code à personne."},
		HelpHead:  "Besoin d’aide ? Appelez Claire Moreau.",
		Telephone: "02 41 00 00 00",
	}
}

func TestInvitations(t *testing.T) {
	pdf, err := document.Invitations([]document.Invitation{letter(), letter()})
	if err != nil {
		t.Fatal(err)
	}
	text := string(pdf)
	if !strings.HasPrefix(text, "%PDF-1") || strings.Count(text, "/Type /Page\n") != 2 || len(pdf) > 100_000 {
		t.Errorf("%.10q has %d pages and %d bytes, want a PDF of 2 pages under 100 kB", text, strings.Count(text, "/Type /Page\n"), len(pdf))
	}
	for _, secret := range []string{"ACDE", "ukaszewicz", "gulsah"} {
		if strings.Contains(text, secret) {
			t.Errorf("the file's properties or its plain text tell %q", secret)
		}
	}
	if folder := os.Getenv("XNET_SCREENSHOTS"); folder != "" {
		if err := os.WriteFile(filepath.Join(folder, "lettre.pdf"), pdf, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestInvitationsRefuse(t *testing.T) {
	long := letter()
	long.Notes = append(long.Notes, strings.Repeat("Encore une phrase pour la route. ", 60))
	crowded := letter()
	crowded.Recipient = make([]string, 7)
	qr := letter()
	qr.QR = strings.Repeat("x", 4000)
	for name, tt := range map[string]struct {
		letters []document.Invitation
		want    error
	}{"too long": {[]document.Invitation{long}, document.ErrTooLong}, "too many lines": {[]document.Invitation{letter(), crowded}, document.ErrTooLong},
		"long address": {[]document.Invitation{qr}, document.ErrQR}} {
		if _, err := document.Invitations(tt.letters); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
	if _, err := document.Invitations(nil); err == nil {
		t.Error("no letters make a document")
	}
}

// Whatever a name holds, the letter is made or refused.
func FuzzInvitations(f *testing.F) {
	for _, name := range []string{"Amina Diallo", "محمد", "😀 Rose", "\xff\xfe", "a\x00b", strings.Repeat("W", 200), "", "\u200f\u202e"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		l := letter()
		l.Recipient[0], l.Opening[0] = name, name
		if _, err := document.Invitations([]document.Invitation{l}); err != nil && !errors.Is(err, document.ErrTooLong) {
			t.Errorf("%q: %v", name, err)
		}
	})
}
