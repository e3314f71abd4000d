// Package compose_test holds compose.yaml to what it promises: pinned images, health
// checks, limits of memory, secrets in files, and no port but two.
package compose_test

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/google/go-cmp/cmp"
)

// load reads compose.yaml as Docker Compose does, with the answers of env.example.
func load(t *testing.T, profiles ...string) *types.Project {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{"../compose.yaml"}, cli.WithEnvFiles("env.example"), cli.WithDotEnv,
		cli.WithProfiles(profiles), cli.WithResolvedPaths(true))
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return project
}

// shipped is an image with a release, not a name that moves.
var shipped = regexp.MustCompile(`^[a-z/-]+:v?\d+\.\d+(\.\d+)?(-[a-z]+)?$`)

func TestServices(t *testing.T) {
	project := load(t, "grow")
	want := []string{"api", "api-2", "caddy", "collector", "collector-2", "grafana", "influxdb", "mosquitto", "postgres", "prometheus", "setup"}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(project.Services))); diff != "" {
		t.Fatalf("services (-want +got):\n%s", diff)
	}
	published := map[string][]string{}
	for name, s := range project.Services {
		if s.Build == nil && !shipped.MatchString(s.Image) {
			t.Errorf("%s runs image %q: want a release", name, s.Image)
		}
		if s.MemLimit <= 0 || s.Restart == "" {
			t.Errorf("%s: memory limit %d, restart %q", name, s.MemLimit, s.Restart)
		}
		if !slices.Contains(s.CapDrop, "ALL") || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") || s.Privileged || s.NetworkMode == "host" {
			t.Errorf("%s may do more than it must: drops %v, %v", name, s.CapDrop, s.SecurityOpt)
		}
		if name != "setup" && (s.HealthCheck == nil || len(s.HealthCheck.Test) < 2) {
			t.Errorf("%s has no health check", name)
		}
		for _, p := range s.Ports {
			published[name] = append(published[name], p.Published)
		}
		checkSecrets(t, name, s)
	}
	if diff := cmp.Diff(map[string][]string{"caddy": {"80", "443"}, "mosquitto": {"8883"}}, published); diff != "" {
		t.Errorf("published ports (-want +got):\n%s", diff)
	}
	if alone := load(t); len(alone.Services) != len(want)-2 {
		t.Errorf("%d services without the profile", len(alone.Services))
	}
}

// checkSecrets demands that no secret stands in a variable.
func checkSecrets(t *testing.T, name string, s types.ServiceConfig) {
	t.Helper()
	for variable, text := range s.Environment {
		secret := regexp.MustCompile(`PASSWORD|TOKEN|SECRET|DSN`).MatchString(variable)
		if secret && (text == nil || !strings.HasPrefix(*text, "/run/secrets/")) {
			t.Errorf("%s has a secret in %s: name a file below /run/secrets", name, variable)
		}
		if text != nil && strings.Contains(*text, "/run/secrets/") && !slices.ContainsFunc(s.Secrets, func(c types.ServiceSecretConfig) bool { return *text == "/run/secrets/"+c.Source }) {
			t.Errorf("%s names %s and is not given it", name, *text)
		}
	}
}

// What is mounted from the repository is there, and each named volume and network
// is declared; nothing but what our files name stands between them.
func TestFilesAreThere(t *testing.T) {
	project := load(t, "grow")
	for name, c := range project.Configs {
		if _, err := os.Stat(c.File); err != nil {
			t.Errorf("config %s: %v", name, err)
		}
	}
	for name, s := range project.Services {
		for _, v := range s.Volumes {
			if v.Type == types.VolumeTypeVolume {
				if _, ok := project.Volumes[v.Source]; !ok {
					t.Errorf("%s: volume %s is not declared", name, v.Source)
				}
				continue
			}
			if _, err := os.Stat(v.Source); err != nil || !v.ReadOnly {
				t.Errorf("%s: %s is mounted, read-only %v: %v", name, v.Source, v.ReadOnly, err)
			}
		}
		if s.Build != nil {
			if _, err := os.Stat(filepath.Join(s.Build.Context, s.Build.Dockerfile)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	// Each collector has a quarantine and a journal of its own.
	if first, second := sourceOf(project, "collector"), sourceOf(project, "collector-2"); first == second || first == "" || second == "" {
		t.Errorf("the collectors keep theirs in %q and %q", first, second)
	}
	if !project.Networks["inside"].Internal {
		t.Error("the network inside leads out")
	}
}

func sourceOf(project *types.Project, service string) string {
	for _, v := range project.Services[service].Volumes {
		if v.Target == "/var/lib/xnet/collector" {
			return v.Source
		}
	}
	return ""
}

// The Dockerfile builds every target that is asked for, and that of the gateway.
func TestTargets(t *testing.T) {
	text, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	targets := map[string]bool{"gateway": true}
	for _, s := range load(t, "grow").Services {
		if s.Build != nil {
			targets[s.Build.Target] = true
		}
	}
	for target := range targets {
		if !regexp.MustCompile(`(?m)^FROM [a-z]+ AS ` + target + `$`).Match(text) {
			t.Errorf("the Dockerfile has no target %q", target)
		}
	}
	for _, copied := range regexp.MustCompile(`(?m)^COPY (deploy/\S+)`).FindAllSubmatch(text, -1) {
		if _, err := os.Stat(filepath.Join("../..", string(copied[1]))); err != nil {
			t.Error(err)
		}
	}
	if release := regexp.MustCompile(`postgresql-client-(\d+)`).FindSubmatch(text); release == nil || !strings.HasPrefix(load(t).Services["postgres"].Image, "postgres:"+string(release[1])+".") {
		t.Errorf("the API's tools are of PostgreSQL %s, the server is %s", release, load(t).Services["postgres"].Image)
	}
}

// The broker's configuration is the one that the tests of the rules run, but for who
// reaches its first listener.
func TestBrokerIsTheSame(t *testing.T) {
	ours, err1 := os.ReadFile("mosquitto.conf")
	tested, err2 := os.ReadFile("../mosquitto/xnet.conf")
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	tested = bytes.Replace(tested, []byte("listener 1883 127.0.0.1\n"), []byte("listener 1883\n"), 1)
	if diff := cmp.Diff(settings(tested), settings(ours)); diff != "" {
		t.Errorf("mosquitto.conf differs from deploy/mosquitto/xnet.conf (-tested +ours):\n%s", diff)
	}
}

// settings are the lines of a configuration that are no comment.
func settings(text []byte) (lines []string) {
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return lines
}

// TestPrepare: each secret is made once, is long, and is nobody's but the owner's.
func TestPrepare(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"prepare", "env.example"} {
		text, err := os.ReadFile(name)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	run := func() string {
		said, err := exec.CommandContext(t.Context(), filepath.Join(dir, "prepare")).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, said)
		}
		return string(said)
	}
	first := run()
	made := map[string]string{}
	for name := range load(t).Secrets {
		text, err := os.ReadFile(filepath.Join(dir, "secrets", name))
		if err != nil || len(strings.TrimSpace(string(text))) < 40 || !strings.Contains(first, name) {
			t.Errorf("secret %s: %d signs, %v", name, len(text), err)
		}
		made[name] = string(text)
	}
	if !strings.Contains(made["postgres_dsn"], strings.TrimSpace(made["postgres_password"])) {
		t.Error("the API is not told PostgreSQL's password")
	}
	if folder, err := os.Stat(filepath.Join(dir, "secrets")); err != nil || folder.Mode().Perm() != 0o700 {
		t.Errorf("the folder of secrets has mode %v, %v", folder.Mode(), err)
	}
	if said := run(); said != "" {
		t.Errorf("the second time it says %q", said)
	}
	if _, err := os.Stat(filepath.Join(dir, ".env")); err != nil {
		t.Error(err)
	}
}
