package main

import "context"

// loadCase brings the years 2006 to 2009 of the case into the API's store, as a
// residence of its own that the demo's staff may read.
func (d *demo) loadCase(ctx context.Context) error {
	if !d.Case {
		return nil
	}
	args := []string{"load-case", "--config", d.path("etc", "api.yaml")}
	for _, s := range staff {
		switch s.role {
		case "administrator", "manager", "advisor":
			args = append(args, "--show", s.person+":"+s.role)
		}
	}
	if err := d.family.once(ctx, "api-load-case", nil, d.program("api"), args...); err != nil {
		return err
	}
	d.screen.step("the case: 600 flats, the years 2006 to 2009")
	return nil
}
