package consumption

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/config"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A WeatherSource is where the outdoor temperatures of a residence are asked for
// over HTTP, once a day, and where in the answer they stand.
type WeatherSource struct {
	Residence metering.SiteID `yaml:"residence"`
	// URL is asked; {from} and {to} in it become the first and the last day asked
	// for, YYYY-MM-DD. At most a year's days are asked for at once.
	URL    string `yaml:"url"`
	Format string `yaml:"format"` // json or csv
	// Rows is the path of the list of days in JSON, as in data.days; empty where day,
	// lowest and highest are the paths of three lists of one length.
	Rows string `yaml:"rows"`
	// Day, Lowest and Highest are paths, within a row where rows is set, or names of
	// columns of a CSV. Days begin with YYYY-MM-DD, temperatures are in °C.
	Day     string        `yaml:"day"`
	Lowest  string        `yaml:"lowest"`
	Highest string        `yaml:"highest"`
	Timeout time.Duration `yaml:"timeout"` // 0 = 20s
	// TokenFile holds what is sent as the bearer of the request, where one is needed.
	TokenFile string `yaml:"token_file"`
}

// Bounds of an answer and of the wait for it.
const (
	weatherTimeout  = 20 * time.Second
	longestTimeout  = 5 * time.Minute
	mostWeatherSize = 4 << 20
	mostDaysBack    = 400 // last year's days are compared with
	weatherAgain    = 3   // known days that are asked for again: first figures are corrected
)

// Validate joins every fault, each with its remedy.
func (w WeatherSource) Validate() error {
	var faults []error
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("weather source of residence %q: "+format, append([]any{w.Residence}, args...)...))
	}
	if w.Residence == "" {
		fault("want the residence's id")
	}
	if u, err := url.Parse(strings.NewReplacer("{from}", "2026-01-01", "{to}", "2026-01-01").Replace(w.URL)); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		fault("url: want an address such as https://weather.example/days?from={from}&to={to}")
	}
	if w.Format != "json" && w.Format != "csv" {
		fault("format %q: want json or csv", w.Format)
	}
	if w.Format == "csv" && w.Rows != "" {
		fault("rows %q: leave it out, a CSV has none", w.Rows)
	}
	if w.Day == "" || w.Lowest == "" || w.Highest == "" {
		fault("want day, lowest and highest: where in the answer they stand")
	}
	if w.Timeout < 0 || w.Timeout > longestTimeout {
		fault("timeout %s: want at most %s", w.Timeout, longestTimeout)
	}
	return errors.Join(faults...)
}

const lastOutdoorDay = `
SELECT COALESCE(MAX(day), '')
  FROM outdoor_day
 WHERE residence_id = $1
   AND source = 'network'`

// ask returns what a source says of the days that are not known from it yet, and of
// the last few again.
func (o *Outdoors) ask(ctx context.Context, s WeatherSource, zone *time.Location) ([]Temperature, error) {
	yesterday := civil.DateIn(o.now(), zone).AddDays(-1)
	from := yesterday.AddDays(-mostDaysBack)
	var known string
	if err := o.around.db.QueryRowContext(ctx, lastOutdoorDay, string(s.Residence)).Scan(&known); err != nil {
		return nil, err
	}
	if last, err := civil.ParseDate(known); err == nil {
		from = later(from, last.AddDays(1-weatherAgain))
	}
	if yesterday.Before(from) {
		from = yesterday
	}
	return s.Fetch(ctx, from, yesterday)
}

// Fetch asks the source for the days from one to another, both included, and returns
// those of them that it knows. Its error names what was wrong, and neither the
// address's query nor the token; an answer without a single one of the days is one.
func (w WeatherSource) Fetch(ctx context.Context, from, to civil.Date) ([]Temperature, error) {
	wait := w.Timeout
	if wait == 0 {
		wait = weatherTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	body, err := w.get(ctx, from, to)
	if err != nil {
		return nil, err
	}
	read := w.readJSON
	if w.Format == "csv" {
		read = w.readCSV
	}
	all, err := read(body)
	if err != nil {
		return nil, err
	}
	var days []Temperature
	for _, d := range all {
		if !d.Day.Before(from) && !to.Before(d.Day) {
			days = append(days, d)
		}
	}
	if len(days) == 0 {
		return nil, fmt.Errorf("the answer tells no day from %s to %s: look at the url and at day, lowest and highest", from, to)
	}
	return days, nil
}

func (w WeatherSource) get(ctx context.Context, from, to civil.Date) ([]byte, error) {
	address := strings.NewReplacer("{from}", from.String(), "{to}", to.String()).Replace(w.URL)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, errors.New("the address cannot be asked: look at the url")
	}
	token, err := config.Secret(w.TokenFile)
	if err != nil {
		return nil, fmt.Errorf("token_file: %w", err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		var at *url.Error
		if errors.As(err, &at) {
			err = at.Err // the address may bear a key
		}
		return nil, fmt.Errorf("ask %s: %w", request.URL.Hostname(), err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", request.URL.Hostname(), answer.Status)
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, mostWeatherSize+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the answer of %s: %w", request.URL.Hostname(), err)
	case len(body) > mostWeatherSize:
		return nil, fmt.Errorf("%s answers with more than %d bytes: ask for fewer days", request.URL.Hostname(), mostWeatherSize)
	}
	return body, nil
}

// readCSV reads the columns of the source by their names.
func (w WeatherSource) readCSV(body []byte) ([]Temperature, error) {
	r := newTableReader(string(body))
	header, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("the answer is no CSV: %w", err)
	}
	places, err := placesOf(header, w.Day, w.Lowest, w.Highest)
	if err != nil {
		return nil, err
	}
	var days []Temperature
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return days, nil
		}
		if err != nil {
			return nil, fmt.Errorf("the answer is no CSV: %w", err)
		}
		line, _ := r.FieldPos(0)
		cells := []string{record[places[0]], record[places[1]], record[places[2]]}
		if strings.TrimSpace(cells[1]) == "" || strings.TrimSpace(cells[2]) == "" {
			continue // a day that the source does not know yet
		}
		cells[0] = dayOf(cells[0])
		day, fault := temperature(cells, r.Comma == ';')
		if fault != nil {
			return nil, fmt.Errorf("line %d of the answer: %w", line, fault.Err)
		}
		days = append(days, day)
	}
}

// placesOf finds columns by their names.
func placesOf(header []string, names ...string) (places []int, err error) {
	for _, name := range names {
		place := -1
		for i, column := range header {
			if strings.TrimSpace(column) == name {
				place = i
			}
		}
		if place < 0 {
			return nil, fmt.Errorf("the answer has no column %q, it has %q", name, header)
		}
		places = append(places, place)
	}
	return places, nil
}

// dayOf drops the time behind a date.
func dayOf(text string) string {
	text = strings.TrimSpace(text)
	if len(text) > len("2026-01-01") && (text[10] == 'T' || text[10] == ' ') {
		return text[:10]
	}
	return text
}

// readJSON reads rows, or three lists.
func (w WeatherSource) readJSON(body []byte) ([]Temperature, error) {
	var answer any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&answer); err != nil {
		return nil, fmt.Errorf("the answer is no JSON: %w", err)
	}
	var lists [3][]any
	for i, path := range []string{w.Day, w.Lowest, w.Highest} {
		list, err := w.list(answer, path)
		if err != nil {
			return nil, err
		}
		if lists[i] = list; len(list) != len(lists[0]) {
			return nil, fmt.Errorf("%s has %d entries in the answer, %s has %d", path, len(list), w.Day, len(lists[0]))
		}
	}
	var days []Temperature
	for i := range lists[0] {
		if lists[1][i] == nil || lists[2][i] == nil {
			continue // a day that the source does not know yet
		}
		cells := []string{dayOf(fmt.Sprint(lists[0][i])), fmt.Sprint(lists[1][i]), fmt.Sprint(lists[2][i])}
		day, fault := temperature(cells, false)
		if fault != nil {
			return nil, fmt.Errorf("entry %d of the answer: %w", i+1, fault.Err)
		}
		days = append(days, day)
	}
	return days, nil
}

// list returns the entries at a path: of each row, or of a list of their own.
func (w WeatherSource) list(answer any, path string) ([]any, error) {
	if w.Rows == "" {
		list, ok := entryAt(answer, path).([]any)
		if !ok {
			return nil, fmt.Errorf("the answer has no list at %s", path)
		}
		return list, nil
	}
	rows, ok := entryAt(answer, w.Rows).([]any)
	if !ok {
		return nil, fmt.Errorf("the answer has no list at %s", w.Rows)
	}
	list := make([]any, len(rows))
	for i, row := range rows {
		if list[i] = entryAt(row, path); list[i] == nil && path == w.Day {
			return nil, fmt.Errorf("entry %d of %s has no %s", i+1, w.Rows, path)
		}
	}
	return list, nil
}

// entryAt follows a path such as data.days; "." is the answer itself.
func entryAt(node any, path string) any {
	if path == "." {
		return node
	}
	for name := range strings.SplitSeq(path, ".") {
		inside, ok := node.(map[string]any)
		if !ok {
			return nil
		}
		node = inside[name]
	}
	return node
}
