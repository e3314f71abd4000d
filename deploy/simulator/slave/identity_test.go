package slave_test

import (
	"encoding/hex"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/deploy/simulator/slave"
)

// named are the slaves of ladder that tell names: 3 two of them, 4 one of each
// category, 5 names that need several answers, 6 one that fits into none.
type named struct{ ladder }

func (named) Names(unit byte) (map[byte]string, error) {
	switch unit {
	case 3:
		return map[byte]string{0: "M", 1: "P"}, nil
	case 4:
		return map[byte]string{0: "M", 4: "R", 0x90: "X"}, nil
	case 5:
		return map[byte]string{0: strings.Repeat("a", 200), 1: strings.Repeat("b", 200)}, nil
	case 6:
		return map[byte]string{0: strings.Repeat("a", 245)}, nil
	case 98:
		return nil, errors.New("fuse blown")
	case 99:
		return nil, slave.ErrSilent
	}
	return nil, nil
}

// The answers are those of V1.1b3, 6.21.
func TestIdentity(t *testing.T) {
	addr := serve(t, slave.New(named{}, slave.Options{}))
	for _, tt := range []struct{ name, request, want string }{
		{"basic", "03 2b 0e 01 00", "03 2b 0e 01 81 00 00 02 00 01 4d 01 01 50"},
		{"basic from an object on", "03 2b 0e 01 01", "03 2b 0e 01 81 00 00 01 01 01 50"},
		{"basic from an object that is not there", "03 2b 0e 01 02", "03 2b 0e 01 81 00 00 02 00 01 4d 01 01 50"},
		{"basic of one that has more", "04 2b 0e 01 00", "04 2b 0e 01 83 00 00 01 00 01 4d"},
		{"regular", "04 2b 0e 02 00", "04 2b 0e 02 83 00 00 02 00 01 4d 04 01 52"},
		{"extended", "04 2b 0e 03 04", "04 2b 0e 03 83 00 00 02 04 01 52 90 01 58"},
		{"one object", "04 2b 0e 04 90", "04 2b 0e 04 83 00 00 01 90 01 58"},
		{"one object that is not there", "04 2b 0e 04 05", "04 ab 02"},
		{"more follows", "05 2b 0e 01 00", "05 2b 0e 01 81 ff 01 01 00 c8" + strings.Repeat("61", 200)},
		{"what follows", "05 2b 0e 01 01", "05 2b 0e 01 81 00 00 01 01 c8" + strings.Repeat("62", 200)},
		{"name longer than an answer", "06 2b 0e 01 00", "06 ab 04"},
		{"way that there is not", "03 2b 0e 05 00", "03 ab 03"},
		{"another kind of request", "03 2b 0d 01 00", "03 ab 01"},
		{"too short", "03 2b 0e 01", "03 ab 01"},
		{"slave without names", "07 2b 0e 01 00", "07 ab 01"},
		{"broken source", "62 2b 0e 01 00", "62 ab 04"},
		{"silent slave", "63 2b 0e 01 00", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			body := unhex(t, tt.request)
			if _, err := conn.Write(append([]byte{0, 1, 0, 0, 0, byte(len(body))}, body...)); err != nil {
				t.Fatal(err)
			}
			_ = conn.(*net.TCPConn).CloseWrite()
			got, _ := io.ReadAll(conn)
			want := unhex(t, tt.want)
			if len(want) > 0 {
				want = append([]byte{0, 1, 0, 0, 0, byte(len(want))}, want...)
			}
			if diff := cmp.Diff(hex.EncodeToString(want), hex.EncodeToString(got)); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}
