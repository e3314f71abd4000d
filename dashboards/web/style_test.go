package web_test

import (
	"math"
	"os"
	"regexp"
	"strconv"
	"testing"
)

// colours are the custom properties of a rule of the style sheet, by name.
func colours(t *testing.T, style, rule string) map[string]string {
	t.Helper()
	body := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(rule) + `\{([^}]*)\}`).FindStringSubmatch(style)
	if body == nil {
		t.Fatalf("no rule %s", rule)
	}
	found := map[string]string{}
	for _, one := range regexp.MustCompile(`--([a-z-]+):(#[0-9a-f]{3,6})`).FindAllStringSubmatch(body[1], -1) {
		found[one[1]] = one[2]
	}
	return found
}

// luminance is the relative luminance of WCAG 2.2.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	digits := hex[1:]
	if len(digits) == 3 {
		digits = string([]byte{digits[0], digits[0], digits[1], digits[1], digits[2], digits[2]})
	}
	var sum float64
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(digits[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatalf("colour %s: %v", hex, err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// Words have a contrast of at least 4.5 on what they stand on (WCAG 2.2, 1.4.3),
// or 7 where somebody chose high contrast (1.4.6); fields, bars and the focus at
// least 3 (1.4.11).
func TestContrast(t *testing.T) {
	text, err := os.ReadFile("style.css")
	if err != nil {
		t.Fatal(err)
	}
	light := colours(t, string(text), ":root")
	high := map[string]string{}
	for name, colour := range light {
		high[name] = colour
	}
	for name, colour := range colours(t, string(text), ".contrast") {
		high[name] = colour
	}
	words := [][2]string{{"ink", "paper"}, {"ink", "card"}, {"soft", "paper"}, {"soft", "card"}, {"brand", "paper"}, {"brand", "card"}, {"ink", "note"},
		{"good", "card"}, {"bad", "card"}, {"on-brand", "brand"}, {"on-brand", "brand-deep"}}
	for _, pair := range words {
		if got := contrast(t, light[pair[0]], light[pair[1]]); got < 4.5 {
			t.Errorf("%s on %s: %.1f", pair[0], pair[1], got)
		}
		if got := contrast(t, high[pair[0]], high[pair[1]]); got < 7 {
			t.Errorf("%s on %s at high contrast: %.1f", pair[0], pair[1], got)
		}
	}
	for _, name := range []string{"field", "focus", "bar"} {
		if got := contrast(t, light[name], light["card"]); got < 3 {
			t.Errorf("%s on a card: %.1f", name, got)
		}
	}
	for _, kind := range []string{".cold_water", ".hot_water", ".electricity", ".heat", ".gas"} {
		if got := contrast(t, colours(t, string(text), kind)["bar"], light["before"]); got < 2 {
			t.Errorf("bar of %s before last year's grey: %.1f", kind, got)
		}
		if got := contrast(t, colours(t, string(text), kind)["bar"], light["card"]); got < 3 {
			t.Errorf("bar of %s on a card: %.1f", kind, got)
		}
	}
	if got := contrast(t, "#000000", "#ffffff"); math.Abs(got-21) > 0.01 {
		t.Errorf("black on white: %.2f", got)
	}
}
