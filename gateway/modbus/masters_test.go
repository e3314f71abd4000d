package modbus_test

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/xnetroseraie/xnet/deploy/simulator/slave/slavetest"
	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
)

// Other masters' answers that come only once we have asked again are none of
// ours: not where two requests were heard together, nor where what looked like
// the answer to one was not.
func TestAnswersOwedToOtherMasters(t *testing.T) {
	foreign := request(5, 3, 100, 2) // looks like ours, but for the address
	first := request(5, 3, 0, 2)
	for _, tt := range []struct {
		name  string
		heard []byte // after the first request
	}{
		{"two requests together", slices.Concat(frame(first, 1), request(6, 3, 7, 2), foreign)},
		{"one request, and what only looks like its answer", slices.Concat(frame(first, 1), foreign, frame(foreign, 777))},
		{"a request that completes a broken answer", append(brokenOff(first, foreign[0]), foreign...)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			listener := slavetest.Listen(t)
			t.Cleanup(func() { listener.Close() })
			go func() {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				defer conn.Close()
				asked := make([]byte, 8)
				for n := 1; ; n++ {
					if _, err := conn.Read(asked); err != nil {
						return
					}
					reply := frame(asked, uint16(n))
					if asked[1] != 3 {
						reply = refusal(asked, 1)
					}
					switch n {
					case 1:
						reply = tt.heard
					case 2: // in its turn: before the answer to what was asked later
						reply = append(frame(foreign, 666), reply...)
					}
					_, _ = conn.Write(reply)
				}
			}()
			bus := openBus(t, firmwareconfig.Bus{URL: "rtutcp://" + listener.Addr().String(), Timeout: timeout})
			for n := range 3 {
				got, err := bus.Read(t.Context(), 5, 3, 0, 2)
				if err == nil && binary.BigEndian.Uint16(got) == 666 {
					t.Errorf("read %d: % x, the answer to another master", n, got)
				}
				if n == 2 && err != nil {
					t.Errorf("read %d: %v, want an answer again", n, err)
				}
			}
		})
	}
}

// brokenOff is a right answer that lacks its last byte, which would be last.
func brokenOff(request []byte, last byte) []byte {
	for content := uint16(1000); ; content++ {
		if whole := frame(request, content); whole[len(whole)-1] == last {
			return whole[:len(whole)-1]
		}
	}
}
