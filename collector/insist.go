package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/internal/influx"
)

// How long a command insists where InfluxDB does not answer, and how often.
const (
	insistFor   = 30 * time.Second
	insistEvery = time.Second
)

// insist does what asks InfluxDB for something, again while it does not answer:
// a person at a terminal does not ask twice whether it has restarted by now.
func (e *environment) insist(do func() error) error {
	begun := time.Now()
	for {
		err := do()
		if !errors.Is(err, influx.ErrTemporary) || time.Since(begun) >= insistFor {
			return err
		}
		fmt.Fprintf(e.stderr, "%v: trying again\n", err)
		select {
		case <-e.ctx.Done():
			return e.ctx.Err()
		case <-time.After(insistEvery):
		}
	}
}
