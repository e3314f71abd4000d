package influx

import "time"

// A dayCache reads RFC 3339 instants in UTC and remembers the midnight of the
// last one, because neighbours mostly share the day.
type dayCache struct {
	date     [10]byte
	midnight int64 // ms since 1970
}

// millis reads an instant such as 2026-03-01T10:20:30.5Z as milliseconds since
// 1970; finer digits are cut off.
func (d *dayCache) millis(text []byte) (ms int64, ok bool) {
	if len(text) < 20 || text[10] != 'T' || text[len(text)-1] != 'Z' {
		return 0, false
	}
	if [10]byte(text) != d.date {
		midnight, err := time.Parse(time.DateOnly, string(text[:10]))
		if err != nil {
			return 0, false
		}
		d.date, d.midnight = [10]byte(text), midnight.UnixMilli()
	}
	hour, minute, second := pair(text[11:]), pair(text[14:]), pair(text[17:])
	if text[13] != ':' || text[16] != ':' || hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	fraction, ok := milliseconds(text[19 : len(text)-1])
	return d.midnight + (hour*3600+minute*60+second)*1000 + fraction, ok
}

// pair reads two digits; anything else gives more than 99.
func pair(text []byte) int64 {
	tens, ones := text[0]-'0', text[1]-'0'
	if tens > 9 || ones > 9 {
		return 1000
	}
	return int64(tens)*10 + int64(ones)
}

// milliseconds reads a fraction such as .5 or .000250, or nothing.
func milliseconds(text []byte) (ms int64, ok bool) {
	if len(text) == 0 {
		return 0, true
	}
	if text[0] != '.' || len(text) == 1 {
		return 0, false
	}
	for i, weight := 1, int64(100); i < len(text); i, weight = i+1, weight/10 {
		digit := text[i] - '0'
		if digit > 9 {
			return 0, false
		}
		ms += weight * int64(digit)
	}
	return ms, true
}
