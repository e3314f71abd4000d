package homes

import (
	"encoding/csv"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// RealFile is the name of the file of [Real].
const RealFile = "water_naples_2019.csv"

// Real is what one person in Naples drew over eight months, from a file of the
// draws of ten minutes: the instant they begin at and their millilitres are its
// first two columns, those without a draw are left out.
func Real(path string) (Home, error) {
	file, err := os.Open(path)
	if err != nil {
		return Home{}, fmt.Errorf("real measurements: %w: name the folder that has %s", err, RealFile)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		return Home{}, fmt.Errorf("read %s: %w", path, err)
	}
	var draws []Draw
	for i, row := range rows[min(1, len(rows)):] {
		d, err := parseDraw(row)
		if err != nil {
			return Home{}, fmt.Errorf("%s, row %d: %w", path, i+2, err)
		}
		draws = append(draws, d)
	}
	if len(draws) == 0 {
		return Home{}, fmt.Errorf("%s has no rows: fetch it again", path)
	}
	return ofDraws(draws)
}

func parseDraw(row []string) (Draw, error) {
	at, err := time.Parse("2006-01-02T15:04Z", row[0])
	if err != nil {
		return Draw{}, err
	}
	ml, err := strconv.ParseInt(row[1], 10, 64)
	return Draw{at, 10 * time.Minute, metering.Amount(ml) * 6}, err
}

// ofDraws makes a home of draws in order of time that do not overlap.
func ofDraws(draws []Draw) (Home, error) {
	zone, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		return Home{}, fmt.Errorf("zone of Naples: %w: install tzdata", err)
	}
	before := make([]metering.Amount, len(draws)+1)
	for i, d := range draws {
		before[i+1] = before[i] + d.Until(d.End())
	}
	return Home{
		Habit: Measured, Zone: zone, From: draws[0].Start, To: draws[len(draws)-1].End(),
		Drawn: func(at time.Time) metering.Amount {
			n, _ := slices.BinarySearchFunc(draws, at, func(d Draw, at time.Time) int { return d.Start.Compare(at) })
			if n == 0 {
				return 0
			}
			return before[n-1] + draws[n-1].Until(at)
		},
	}, nil
}
