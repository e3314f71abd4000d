package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

// The first administrator is made once, and comes in with the printed code.
func TestFirstAdministrator(t *testing.T) {
	env := environment(map[string]string{"XNET_API_DATABASE_DSN": filepath.Join(t.TempDir(), "api.db"),
		"XNET_API_ADVISOR_NAME": "Claire Moreau", "XNET_API_ADVISOR_TELEPHONE": "02 41 00 00 00"})
	var made []invitation
	if err := json.Unmarshal([]byte(command(t, env, "admin", "--json", "--name", "Paul Neuf")), &made); err != nil || len(made) != 1 || len(made[0].Code) != 14 {
		t.Fatalf("made %+v, %v", made, err)
	}
	for _, args := range [][]string{{"admin", "--name", "Max Second"}, {"admin"}, {"admin", "--name", "X", "--language", "de"}} {
		var said bytes.Buffer
		if err := run(t.Context(), args, env, &said); err == nil || said.Len() > 0 {
			t.Errorf("api %s: %v, and printed %q", strings.Join(args, " "), err, &said)
		}
	}
	if said := command(t, env, "invite", made[0].Person); !strings.HasPrefix(said, made[0].Person+" ") {
		t.Errorf("invite said %q", said)
	}
}
