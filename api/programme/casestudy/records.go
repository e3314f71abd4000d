package casestudy

import (
	"bytes"
	"embed"
	"encoding/csv"
	"errors"
	"fmt"
	"strconv"

	"github.com/goccy/go-yaml"

	"github.com/xnetroseraie/xnet/internal/civil"
)

//go:embed records
var files embed.FS

// Records are the files of the case.
type records struct {
	Residence struct {
		ID       string `yaml:"id"`
		Name     string `yaml:"name"`
		Zone     string `yaml:"zone"`
		Street   string `yaml:"street"`
		Postcode string `yaml:"postcode"`
		Town     string `yaml:"town"`
	} `yaml:"residence"`
	Buildings int       `yaml:"buildings"`
	Flats     int       `yaml:"flats_a_building"`
	MovedIn   string    `yaml:"moved_in"`
	Clerk     personRow `yaml:"clerk"`

	Computers struct {
		From         string `yaml:"from"`
		Until        string `yaml:"until"`
		PerHousehold int    `yaml:"per_household"`
		TargetDays   int    `yaml:"target_days"`
		Months       int    `yaml:"months"`
		UsedCents    int64  `yaml:"used_cents"`
		NewCents     int64  `yaml:"new_cents"`
	} `yaml:"computers"`

	Course struct {
		Title string `yaml:"title"`
		Theme string `yaml:"theme"`
		About string `yaml:"about"`
	} `yaml:"course"`
	Sessions    []sessionRow    `yaml:"sessions"`
	Partners    []partnerRow    `yaml:"partners"`
	Conventions []conventionRow `yaml:"conventions"`
	Campaigns   []campaignRow   `yaml:"campaigns"`
	Surveys     []surveyRow     `yaml:"surveys"`
	Offers      []offerRow      `yaml:"offers"`
	Staff       []staffRow      `yaml:"staff"`
	Declared    declaredRows    `yaml:"declared"`

	machineRows []machineRow
	attended    map[int][]string // register numbers of who came, by session from 1
}

type (
	personRow  struct{ ID, Name string }
	sessionRow struct {
		Date, From, To, Place, Partner string
		Capacity                       int
	}
	partnerRow    struct{ Name, Kind string }
	conventionRow struct {
		Partner     string `yaml:"partner"`
		Title       string `yaml:"title"`
		SignedOn    string `yaml:"signed_on"`
		From        string `yaml:"from"`
		Until       string `yaml:"until"`
		NoticeDays  int64  `yaml:"notice_days"`
		Commitments []struct{ Side, Topic, Promise string }
	}
	campaignRow struct{ Title, Goal, Audience, Channel, From, Until, Note string }
	surveyRow   struct {
		Question, On, Source string
		Tenths               int64
	}
	offerRow struct {
		Operator     string `yaml:"operator"`
		Title        string `yaml:"title"`
		MonthlyCents int64  `yaml:"monthly_cents"`
		From         string `yaml:"from"`
		Source       string `yaml:"source"`
	}
	staffRow struct {
		Role            string `yaml:"role"`
		From            string `yaml:"from"`
		Until           string `yaml:"until"`
		PostThousandths int64  `yaml:"post_thousandths"`
		Label           string `yaml:"label"`
		Source          string `yaml:"source"`
	}
	declaredRows struct {
		From, Until, Source string
		Figures             []struct {
			Indicator string
			Figure    int64
			About     bool
		}
	}
)

// A machineRow is one computer from purchase to handover.
type machineRow struct {
	registerNo, kind, donor string
	received, sold, handed  civil.Date
	costCents, priceCents   int64
	flat                    int // from 1
}

func readRecords() (r records, err error) {
	text, err := files.ReadFile("records/programme.yaml")
	if err != nil {
		return r, err
	}
	if err := yaml.UnmarshalWithOptions(text, &r, yaml.Strict()); err != nil {
		return r, fmt.Errorf("programme.yaml: %w", err)
	}
	machines, err := rows("records/machines.csv", 9)
	if err != nil {
		return r, err
	}
	for _, cells := range machines {
		m, err := readMachine(cells)
		if err != nil {
			return r, fmt.Errorf("machines.csv: %s: %w", cells[0], err)
		}
		r.machineRows = append(r.machineRows, m)
	}
	attendance, err := rows("records/attendance.csv", 2)
	r.attended = map[int][]string{}
	for _, cells := range attendance {
		session, wrong := strconv.Atoi(cells[0])
		err = errors.Join(err, wrong)
		r.attended[session] = append(r.attended[session], cells[1])
	}
	return r, err
}

// rows returns the lines of a file below its header.
func rows(path string, cells int) ([][]string, error) {
	text, err := files.ReadFile(path)
	if err != nil {
		return nil, err
	}
	reader := csv.NewReader(bytes.NewReader(text))
	reader.FieldsPerRecord = cells
	all, err := reader.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return all[1:], nil
}

func readMachine(cells []string) (m machineRow, err error) {
	m.registerNo, m.kind, m.donor = cells[0], cells[1], cells[3]
	var faults [6]error
	m.received, faults[0] = civil.ParseDate(cells[2])
	m.costCents, faults[1] = strconv.ParseInt(cells[4], 10, 64)
	m.sold, faults[2] = civil.ParseDate(cells[5])
	m.priceCents, faults[3] = strconv.ParseInt(cells[6], 10, 64)
	m.handed, faults[4] = civil.ParseDate(cells[7])
	m.flat, faults[5] = strconv.Atoi(cells[8])
	return m, errors.Join(faults[:]...)
}
