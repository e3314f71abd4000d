package prometheus_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/internal/testkit"
)

var (
	shellBlock = regexp.MustCompile("(?s)```sh\n(.*?)```")
	ourUnit    = regexp.MustCompile(`\b(xnet-[a-z-]+\.?[a-z]*|mosquitto|prometheus)\b`)
)

// commands are the lines of the fenced blocks of a page.
func commands(t *testing.T, page string) (lines []string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range shellBlock.FindAllStringSubmatch(string(text), -1) {
		lines = append(lines, strings.Split(strings.TrimSpace(block[1]), "\n")...)
	}
	return lines
}

// The commands of the guide and of the runbook are run, in their order, on a real
// chain; those of the system are held to name units that are there.
func TestCommandsOfTheGuides(t *testing.T) {
	c := newChain(t)
	testWell(t, c) // what the gateway read is stored
	pages, err := filepath.Glob("../docs/runbook/*.md")
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, page := range append([]string{"../docs/administrateur.md"}, pages...) {
		for _, line := range commands(t, page) {
			if c.follow(t, page, line) {
				ran++
			}
		}
	}
	if ran < 25 {
		t.Errorf("%d commands were run, want 25 at least", ran)
	}
}

// follow runs one line, or holds its units to what is installed.
func (c *chain) follow(t *testing.T, page, line string) (ran bool) {
	t.Helper()
	switch {
	case line == "systemctl stop xnet-api":
		c.stops["api"]()
		return true
	case line == "systemctl start xnet-api", line == "systemctl restart xnet-api":
		c.stops["api"]()
		c.start("api", "run")
		testkit.Eventually(t, 2*time.Minute, func() error { _, err := metrics(c.api); return err })
		return true
	case strings.HasPrefix(line, "systemctl "), strings.HasPrefix(line, "journalctl "):
		if unit := ourUnit.FindString(line); unit != "" {
			isUnit(t, page, unit)
		}
		return false
	case strings.HasPrefix(line, "apt "), strings.HasPrefix(line, "xnet-setup "), strings.HasPrefix(line, "df "), strings.HasPrefix(line, "du "):
		return false // the packages and the set-up have tests of their own
	}
	command := exec.CommandContext(t.Context(), "sh", "-c", c.here(line))
	command.Dir = "../.."
	var said bytes.Buffer
	command.Stdout, command.Stderr = &said, &said
	err := command.Run()
	// A machine of tests may have a clock without a time server.
	if strings.Contains(line, " doctor ") && strings.Contains(said.String(), "well   database") && ill(said.String()) == "" {
		err = nil
	}
	if err != nil {
		t.Errorf("%s: %s: %v: %s", page, line, err, said.String())
	}
	return true
}

// here writes a line for the chain's folder instead of the machine's.
func (c *chain) here(line string) string {
	if err := os.MkdirAll(c.path("prometheus"), 0o700); err != nil {
		c.t.Fatal(err)
	}
	if strings.Contains(line, " doctor ") && !strings.Contains(line, "--collector") {
		line += " --collector /etc/xnet/collector.yaml" // its default
	}
	return strings.NewReplacer("sudo -u xnet ", "", " -o xnet -g xnet", "",
		"xnet-api ", filepath.Join(c.bin, "api")+" ", "xnet-collector ", filepath.Join(c.bin, "collector")+" ",
		"/var/lib/xnet/api/api.db.erasures", c.ledger(), "/etc/xnet/", c.dir+"/", "/var/backups/xnet", c.path("backups"),
		"/etc/prometheus", c.path("prometheus"), " roseraie.yaml", " "+c.residence()).Replace(line)
}

// residence is a file of a residence in which nothing hangs yet.
func (c *chain) residence() string {
	c.write("roseraie.yaml", "residence: {id: roseraie, name: La Roseraie, zone: Europe/Paris, earliest: 2026-01-01T00:00:00Z}\ndwellings: [{id: A-12, building: A, label: \"12\"}]\n")
	return c.path("roseraie.yaml")
}

// ledger is a copy of the ledger, which an erasure would have begun.
func (c *chain) ledger() string {
	c.write("erasures.copy", "")
	return c.path("erasures.copy")
}

func isUnit(t *testing.T, page, unit string) {
	t.Helper()
	if unit == "mosquitto" || unit == "prometheus" {
		return // Debian's
	}
	if !strings.Contains(unit, ".") {
		unit += ".service"
	}
	if _, err := os.Stat(filepath.Join("../systemd", unit)); err != nil {
		t.Errorf("%s names the unit %s, which is not there", page, unit)
	}
}
