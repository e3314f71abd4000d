package accounts

import (
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/problem"
)

// A Role is what a person does for the landlord. Tenants and helpers have none:
// what they may see comes from where they live and from mandates.
type Role string

// The roles.
const (
	Advisor       Role = "advisor"       // the one whom families call (fr. interlocutrice unique)
	Manager       Role = "manager"       // of the landlord's buildings
	Technician    Role = "technician"    // of the workshop
	Trainer       Role = "trainer"       // of a partner
	Installer     Role = "installer"     // of gateways and meters
	Administrator Role = "administrator" // sets up
)

// Roles lists every role.
var Roles = []Role{Advisor, Manager, Technician, Trainer, Installer, Administrator}

// A Scope is what a program's token may do, as in "meters:read". What its person
// may not do, it may not either.
type Scope string

// The scopes that a token may bear.
const (
	ConsumptionRead Scope = "consumption:read"
	PremisesRead    Scope = "premises:read"
	PremisesWrite   Scope = "premises:write"
	PeopleWrite     Scope = "people:write"
	MetersRead      Scope = "meters:read"
	MetersWrite     Scope = "meters:write"
	NoScope         Scope = "" // for browsers only: no token comes by
)

// Scopes lists every scope a token may bear.
var Scopes = []Scope{ConsumptionRead, PremisesRead, PremisesWrite, PeopleWrite, MetersRead, MetersWrite}

// Has reports whether the person has one of the roles, in whatever residence.
func (s Session) Has(roles ...Role) bool {
	return slices.ContainsFunc(s.Roles, func(r Role) bool { return slices.Contains(roles, r) })
}

// Allows reports whether the session may do what the scope names: a browser's
// may do all that its person may, a token's only what it bears.
func (s Session) Allows(scope Scope) bool {
	return s.Token == "" || scope != NoScope && slices.Contains(s.Scopes, scope)
}

// Anyone lets by whoever is signed in, and programs whose token bears the scope.
// Others get the problems "session.none" or "token.scope". What of a home may be
// seen is the affair of the query.
func Anyone(scope Scope) echo.MiddlewareFunc {
	return guard(scope, func(Session) bool { return true })
}

// Staff lets by whoever has one of the roles in some residence, and their
// programs whose token bears the scope; a person without gets the problem
// "role.missing". In which residences is the affair of the query.
func Staff(scope Scope, roles ...Role) echo.MiddlewareFunc {
	return guard(scope, func(s Session) bool { return s.Has(roles...) })
}

func guard(scope Scope, may func(Session) bool) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			session, ok := Who(c)
			switch {
			case !ok:
				return &problem.Error{Kind: problem.SignedOut, Message: "session.none"}
			case !session.Allows(scope):
				return &problem.Error{Kind: problem.Forbidden, Message: "token.scope"}
			case !may(session):
				return &problem.Error{Kind: problem.Forbidden, Message: "role.missing"}
			}
			c.Response().Header().Set("Cache-Control", "no-store")
			return next(c)
		}
	}
}
