package docs_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/meters/enrolment"
	"github.com/xnetroseraie/xnet/api/meters/meterstest"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/deploy/simulator/slave"
	"github.com/xnetroseraie/xnet/deploy/simulator/slave/slavetest"
	"github.com/xnetroseraie/xnet/firmware-config/profiletest"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// elsewhere are the guides whose commands other tests run: of the administrator on a
// whole chain of programs, of developers in a copy of the tree.
var elsewhere = map[string]string{
	"administrateur.md": "../prometheus/guide_test.go", "developers.md": "TestFollowTheDevelopersGuides", "page.md": "TestFollowTheDevelopersGuides",
}

// A cellar is what an installer stands before: a board with the program, a line with
// one meter, and a server that gave a code.
type cellar struct {
	dir, program, line, pages string
	offer                     func() string // a new code
}

// Every command of the guides is run, in its order.
func TestCommandsOfTheGuides(t *testing.T) {
	t.Parallel()
	c, ran := newCellar(t), 0
	for _, g := range guides(t) {
		if elsewhere[g.file] != "" {
			continue
		}
		for _, b := range g.blocks() {
			if b.language == "yaml" {
				c.boot(t, b.text)
			}
			if b.language != "sh" {
				continue
			}
			for line := range strings.Lines(b.text) {
				if c.follow(t, g.file, strings.TrimSpace(line)) {
					ran++
				}
			}
		}
	}
	if ran < 7 {
		t.Errorf("%d commands were run, want those of an installer", ran)
	}
}

func newCellar(t *testing.T) *cellar {
	t.Helper()
	c := &cellar{dir: t.TempDir(), program: buildGateway(t)}
	fixture, err := profiletest.Load(filepath.Join(root, "firmware-config/testdata"), "sdm120")
	if err != nil {
		t.Fatal(err)
	}
	c.line = slavetest.RTU(t, only{fixture}, slave.Options{})
	c.serve(t)
	return c
}

func buildGateway(t *testing.T) (program string) {
	t.Helper()
	program = filepath.Join(t.TempDir(), "xnet-gateway")
	command := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./gateway")
	command.Dir, command.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if err := testkit.Watch(filepath.Join(root, "gateway"), filepath.Join(root, "firmware-config"), filepath.Join(root, "internal")); err != nil {
		t.Fatal(err)
	}
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, output)
	}
	return program
}

// only is a line on which slave 1 alone answers.
type only struct{ *profiletest.Fixture }

func (o only) Read(unit, function byte, address, quantity uint16) ([]uint16, error) {
	if unit != 1 {
		return nil, slave.ErrSilent
	}
	words, exist := o.Fixture.Read(function, address, quantity)
	if !exist {
		return nil, slave.IllegalAddress
	}
	return words, nil
}

// serve takes codes for an access as the API does, and has given one out.
func (c *cellar) serve(t *testing.T) {
	t.Helper()
	db := sqldbtest.Open(t, filepath.Join(c.dir, "api.db"))
	meterstest.Furnish(t, db)
	store := enrolment.NewStore(db, meters.NewStore(db), enrolment.Files{Dir: t.TempDir()})
	c.offer = func() string {
		offer, err := store.Offer(t.Context(), meterstest.Installer, "gw-r", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return string(offer.Code)
	}
	e := echo.New()
	(&enrolment.Handler{Store: store, Throttle: accounts.NewThrottle(), Now: time.Now,
		Reach: enrolment.Reach{URL: "ssl://roseraie.example:8883", Pages: "https://roseraie.example"}}).Register(e.Group("/api/v1"))
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	c.pages = server.URL
}

// boot starts a board on whose boot partition lies a file as the guide shows it.
func (c *cellar) boot(t *testing.T, text string) {
	t.Helper()
	slip := filepath.Join(c.dir, "xnet-enrol.yaml")
	if err := os.WriteFile(slip, []byte(c.change(text)), 0o600); err != nil {
		t.Fatal(err)
	}
	said, err := exec.CommandContext(t.Context(), c.program, "--config", filepath.Join(c.dir, "gateway.yaml"), "enrol", "--from", slip, "--spool-dir", filepath.Join(c.dir, "spool")).CombinedOutput()
	if _, left := os.Stat(slip); err != nil || left == nil {
		t.Errorf("%s\nenrols nobody: %v, %s", text, err, said)
	}
	c.configured(t)
}

// follow runs a line, or holds its unit to those that are installed.
func (c *cellar) follow(t *testing.T, page, line string) (ran bool) {
	t.Helper()
	words := strings.Fields(strings.TrimPrefix(strings.TrimPrefix(line, "sudo "), "-u xnet-gateway "))
	switch words[0] {
	case "systemctl", "journalctl":
		for _, word := range words {
			if unit, ok := strings.CutPrefix(word, "xnet-"); ok {
				if _, err := os.Stat(filepath.Join("../systemd", "xnet-"+strings.TrimSuffix(unit, ".service")+".service")); err != nil {
					t.Errorf("%s: %s: %v", page, line, err)
				}
			}
		}
		return false
	case "apt": // installing is a test of the packages
		if !strings.Contains(read(t, "../packages/catalogue.go"), `"xnet-gateway"`) || !strings.Contains(line, "./xnet-gateway_") {
			t.Errorf("%s: %s: no such package", page, line)
		}
		return false
	case "xnet-gateway":
		c.run(t, page, line, words[1:])
		return true
	default:
		t.Errorf("%s: nobody runs %q", page, line)
		return false
	}
}

func (c *cellar) run(t *testing.T, page, line string, words []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	said, err := exec.CommandContext(ctx, c.program, c.here(words)...).CombinedOutput()
	if err != nil {
		t.Errorf("%s: %s: %v\n%s", page, line, err, said)
	}
	for command, want := range map[string]string{
		"scan": "sdm120", "read": "1234567", "check": "agrees", "spool": "0 packs wait", "profiles": "Eastron", "enrol": "gateway gw-r of site R",
	} {
		if strings.Contains(line, " "+command) && !strings.Contains(string(said), want) {
			t.Errorf("%s: %s prints, want %q in it:\n%s", page, line, want, said)
		}
	}
	if strings.Contains(line, " enrol ") {
		c.configured(t)
	}
}

// here puts the cellar's line, folder and a code in the place of the guide's. The
// meter of the cellar draws nothing and answers at once.
func (c *cellar) here(words []string) []string {
	var changed []string
	for _, word := range words {
		changed = append(changed, c.change(word))
		switch word {
		case "scan":
			changed = append(changed, "--timeout", "30ms", "--pause", "0")
		case "check":
			changed = append(changed, "--wait", "0")
		}
	}
	return changed
}

func (c *cellar) change(text string) string {
	const code = "ACDE-2347-FGHJ-KMNP"
	if strings.Contains(text, code) {
		text = strings.ReplaceAll(text, code, c.offer())
	}
	return strings.NewReplacer("rtu:///dev/ttyUSB0", c.line, "/var/lib/xnet-gateway", c.dir, "https://roseraie.example", c.pages).Replace(text)
}

// configured is what the API publishes to a gateway that was enrolled: its buses.
func (c *cellar) configured(t *testing.T) {
	t.Helper()
	file := filepath.Join(c.dir, "gateway.yaml")
	if text := read(t, file); !strings.Contains(text, "ssl://roseraie.example:8883") || !strings.Contains(text, filepath.Join(c.dir, "spool")) {
		t.Errorf("enrolled as\n%s", text)
	}
	text := fmt.Sprintf("site: R\ngateway: gw-r\nspool: {dir: %s}\nbuses:\n  - {url: %q, devices: [{slave: 1, profile: sdm120, meters: [{id: EL-7}]}]}\n", filepath.Join(c.dir, "spool"), c.line)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
