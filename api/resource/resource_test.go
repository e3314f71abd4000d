package resource_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
)

type room struct {
	Label string `json:"label"`
	Beds  int    `json:"beds"`
	Note  *string
}

// Check wants a label.
func (r *room) Check() []problem.Field {
	if r.Label == "" {
		return []problem.Field{{Name: "label", Message: "field.missing"}}
	}
	return nil
}

func asked(method, path, body string, headers ...string) (echo.Context, *httptest.ResponseRecorder) {
	request := httptest.NewRequest(method, path, strings.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	return echo.New().NewContext(request, recorder), recorder
}

func TestDecode(t *testing.T) {
	for _, tt := range []struct {
		name, body, kind string
		status           int
		field            string
	}{
		{"sound", `{"label":"A","beds":2}`, "application/json; charset=utf-8", 0, ""},
		{"unknown field", `{"label":"A","bads":2}`, "application/json", 422, "bads"},
		{"wrong type", `{"label":"A","beds":"two"}`, "application/json", 422, "beds"},
		{"fraction", `{"label":"A","beds":2.5}`, "application/json", 422, "beds"},
		{"its own check", `{"beds":2}`, "application/json", 422, "label"},
		{"two objects", `{"label":"A"}{"label":"B"}`, "application/json", 422, ""},
		{"torn", `{"label":`, "application/json", 422, ""},
		{"empty", ``, "application/json", 422, ""},
		{"NUL", `{"label":"A\u0000B"}`, "application/json", 422, "label"},
		{"another control sign", `{"label":"A\u001bB"}`, "application/json", 422, "label"},
		{"a tab and two lines", `{"label":"A\tB\r\nC"}`, "application/json", 0, ""},
		{"NUL deep within", `{"rooms":[{"note":["x","\u0000"]}]}`, "application/json", 422, "rooms.note"},
		{"NUL in a name", `{"la\u0000bel":"A"}`, "application/json", 422, ""},
		{"broken UTF-8", "{\"label\":\"A\xff\"}", "application/json", 422, ""},
		{"a form", `label=A`, "application/x-www-form-urlencoded", 415, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := asked(http.MethodPost, "/", tt.body, "Content-Type", tt.kind)
			_, err := resource.Decode[room](c)
			if tt.status == 0 {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			p := problem.Of(err)
			var field string
			if len(p.Fields) > 0 {
				field = p.Fields[0].Name
			}
			if p.StatusCode() != tt.status || field != tt.field {
				t.Errorf("%d, field %q, want %d, field %q: %v", p.StatusCode(), field, tt.status, tt.field, err)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{"label":"A","beds":1}`, `{"label":1}`, `[]`, `{"a":{}}`, "{\"label\":\"\x00\"}", `null`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		c, _ := asked(http.MethodPost, "/", body)
		r, err := resource.Decode[room](c)
		if err == nil && r.Label == "" {
			t.Errorf("%q passed its check", body)
		}
		if err != nil && problem.Of(err).StatusCode() >= 500 {
			t.Errorf("%q is our fault: %v", body, err)
		}
	})
}

func TestVersions(t *testing.T) {
	c, recorder := asked(http.MethodGet, "/", "")
	if err := resource.Answer(c, http.StatusOK, 7, room{Label: "A"}); err != nil || recorder.Header().Get("ETag") != `"7"` {
		t.Fatalf("ETag = %q, %v", recorder.Header().Get("ETag"), err)
	}
	c, recorder = asked(http.MethodGet, "/", "", "If-None-Match", `"6", "7"`)
	if err := resource.Answer(c, http.StatusOK, 7, room{Label: "A"}); err != nil || recorder.Code != http.StatusNotModified || recorder.Body.Len() > 0 {
		t.Errorf("known version: %d %q, %v, want 304 and nothing", recorder.Code, recorder.Body, err)
	}
	for _, tt := range []struct {
		header string
		status int
	}{{"", 428}, {"7", 412}, {`W/"7"`, 412}, {`"x"`, 412}} {
		c, _ := asked(http.MethodPatch, "/", "", "If-Match", tt.header)
		if _, err := resource.Version(c); err == nil || problem.Of(err).StatusCode() != tt.status {
			t.Errorf("If-Match %q: %v, want %d", tt.header, err, tt.status)
		}
	}
	c, _ = asked(http.MethodPatch, "/", "", "If-Match", `"7"`)
	if version, err := resource.Version(c); version != 7 || err != nil {
		t.Errorf("version = %d, %v, want 7", version, err)
	}
	if !errors.Is(resource.ErrStale, resource.ErrStale) || problem.Of(resource.ErrStale).Kind != problem.Stale {
		t.Error("ErrStale is no problem of its kind")
	}
}

func TestAnswerList(t *testing.T) {
	rooms := []room{{Label: "=1+1", Beds: -1}, {Label: `b;"c"`, Beds: 2}, {Label: "more"}}
	key := func(r room) string { return r.Label }
	page := resource.Page{Limit: 2}
	c, recorder := asked(http.MethodGet, "/rooms?limit=2", "")
	if err := resource.AnswerList(c, page, rooms, key); err != nil {
		t.Fatal(err)
	}
	want := `{"items":[{"label":"=1+1","beds":-1,"Note":null},{"label":"b;\"c\"","beds":2,"Note":null}],"next":"b;\"c\""}` + "\n"
	if diff := cmp.Diff(want, recorder.Body.String()); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
	if link := recorder.Header().Get("Link"); link != `</rooms?after=b%3B%22c%22&limit=2>; rel="next"` {
		t.Errorf("Link = %s", link)
	}
	c, recorder = asked(http.MethodGet, "/rooms", "", "Accept", "text/csv, application/json;q=0.5")
	if err := resource.AnswerList(c, page, rooms, key); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("\ufefflabel,beds\r\n'=1+1,-1\r\n\"b;\"\"c\"\"\",2\r\n", recorder.Body.String()); diff != "" {
		t.Errorf("CSV (-want +got):\n%s", diff)
	}
	c, recorder = asked(http.MethodGet, "/rooms", "")
	if err := resource.AnswerList(c, page, []room(nil), key); err != nil || recorder.Body.String() != "{\"items\":[]}\n" {
		t.Errorf("no items: %q, %v", recorder.Body, err)
	}
}

func TestPageOf(t *testing.T) {
	for _, tt := range []struct {
		query string
		want  resource.Page
		bad   bool
	}{
		{"", resource.Page{Limit: 100}, false},
		{"?limit=1000&after=x", resource.Page{After: "x", Limit: 1000}, false},
		{"?limit=0", resource.Page{}, true},
		{"?limit=1001", resource.Page{}, true},
		{"?limit=many", resource.Page{}, true},
		{"?after=" + strings.Repeat("x", 201), resource.Page{}, true},
	} {
		c, _ := asked(http.MethodGet, "/"+tt.query, "")
		got, err := resource.PageOf(c)
		if got != tt.want || (err != nil) != tt.bad {
			t.Errorf("%s: %v, %v, want %v", tt.query, got, err, tt.want)
		}
	}
}

// No spreadsheet computes what somebody typed, wherever it cuts the line, and our own
// importers get the text back.
func TestGuarded(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", ""}, {"Porte 3", "Porte 3"}, {"A-12", "A-12"}, {"l'été", "l'été"}, {"a; b", "a; b"},
		{"=1+1", "'=1+1"}, {"+33 2", "'+33 2"}, {"-1", "'-1"}, {"@x", "'@x"}, {"\tx", "'\tx"}, {"\r=x", "'\r'=x"},
		{"＝1＋1", "'＝1＋1"}, {"＋1", "'＋1"}, {"－1", "'－1"}, {"＠x", "'＠x"},
		{"HP;=1+1", "HP;'=1+1"}, {"HP\t=1+1", "HP\t'=1+1"}, {"HP\n=1+1", "HP\n'=1+1"}, {"HP\r\n@x", "HP\r\n'@x"},
		{"HP; =1+1", "HP;' =1+1"}, {`HP;"=1+1"`, `HP;'"=1+1"`}, {"a;＝b;+c", "a;'＝b;'+c"},
		{"'=1", "''=1"}, {"x;'=1", "x;''=1"}, {"'x", "'x"},
	} {
		if got := resource.Guarded(tt.text); got != tt.want {
			t.Errorf("Guarded(%q) = %q, want %q", tt.text, got, tt.want)
		}
	}
}

func FuzzGuarded(f *testing.F) {
	for _, seed := range []string{"=1", "HP;=1+1", "'=1", "a\n\t=;'' \"＝", "\r\r", "; '=", "\xff;=", "'\t"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ToValidUTF8(text, "?")
		made := resource.Guarded(text)
		if back := resource.Unguarded(made); back != text {
			t.Errorf("%q, guarded %q, comes back as %q", text, made, back)
		}
		for part := range strings.FieldsFuncSeq(made, func(r rune) bool { return strings.ContainsRune(";\t\r\n", r) }) {
			if strings.IndexAny(strings.TrimLeft(part, " \""), "=+-@＝＋－＠") == 0 {
				t.Errorf("%q, guarded %q, has a cell %q", text, made, part)
			}
		}
	})
}
