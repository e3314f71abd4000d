package main

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/charges"
	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/dashboards/admin"
	"github.com/xnetroseraie/xnet/dashboards/landlord"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/figures"
	"github.com/xnetroseraie/xnet/internal/influx"
)

// A server is what the routes need.
type server struct {
	config  Config
	db      *sql.DB
	influx  *influx.Client
	log     *slog.Logger
	now     func() time.Time
	figures *prometheus.Registry
	ready   func() error
	desk    *desk // made where it is nil
}

// apiRoot is where JSON lives; problems below it are RFC 9457 documents.
const apiRoot = "/api/v1"

// figuresKept is how old the figures of closed days may be: a late reading shows
// within a minute.
const figuresKept = 45 * time.Second

// routes returns the program's HTTP handler.
func (s server) routes() (*echo.Echo, error) {
	site, err := web.NewSite(s.config.Advisor, s.config.SignIn.Secure)
	if err != nil {
		return nil, err
	}
	people := s.desk
	if people == nil {
		if people, err = newDesk(s.config, s.db, s.log, s.now); err != nil {
			return nil, err
		}
	}
	door := people.door
	homes := premises.NewStore(s.db)
	reader := consumption.NewReader(homes, meters.NewStore(s.db), s.influx).Remember(figuresKept)

	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.IPExtractor = echo.ExtractIPDirect()
	if s.config.Proxy {
		e.IPExtractor = echo.ExtractIPFromXFFHeader()
	}
	e.HTTPErrorHandler = s.fault(site)
	e.Use(web.Compress(), s.measure(), s.recoverPanics(), web.Secure, s.onlyHTTPS, bodyLimit(), sameSite, door.Recognise, sound)

	e.Use(forgetting(reader), remembering)
	for _, path := range []string{"/metrics", "/healthz", "/readyz"} {
		e.GET(path, echo.WrapHandler(figures.Handler(s.figures, s.ready)))
	}
	site.Register(e)
	if err := s.tenantPages(e, site, door, homes, reader); err != nil {
		return nil, err
	}
	admin.New(site, door, people.clerk, people.told, s.now).Register(e)
	v1 := e.Group(apiRoot)
	once := resource.NewOnce(s.db, s.now, sender)
	accounts.NewHandler(door, people.clerk, once).Register(v1)
	if err := s.equipment(e, site, v1, homes, once); err != nil {
		return nil, err
	}
	consumption.NewHandler(reader, s.now).Register(v1.Group("", accounts.Anyone(accounts.ConsumptionRead)))
	around := consumption.NewNeighbourhood(s.db, s.influx)
	(&consumption.CompareHandler{Reader: reader, Around: around, Now: s.now}).Register(v1)
	(&consumption.TotalsHandler{Totals: consumption.NewTotals(s.db, s.influx), Now: s.now}).Register(v1)
	(&charges.Handler{Store: charges.NewStore(s.db), Reader: reader, Around: around, Once: once, Now: s.now,
		Head: s.letterhead()}).Register(v1)
	importer := premises.NewImporter(homes, s.log, s.now)
	premises.NewHandler(homes, importer, once, s.now).Register(v1)
	landlord.New(site, homes, importer, people.clerk, s.now).Register(e)
	concluded, err := s.advice(v1, homes)
	if err != nil {
		return nil, err
	}
	s.consents(e, site, v1, homes, people, once, concluded)
	s.programme(v1, once)
	s.training(e, site, v1, homes, once)
	s.workshopPages(e, site, s.machines(v1, once), homes)
	s.overview(e, site, homes)
	return e, nil
}

// forgetting drops what the reader keeps once somebody has changed something, signing
// in and out apart: a consent or an erasure may be among it.
func forgetting(reader *consumption.Reader) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			err := next(c)
			path := c.Path()
			if !reads(c) && !strings.Contains(path, "connexion") && !strings.Contains(path, "/session") {
				reader.Forget()
			}
			return err
		}
	}
}

// remembering lets the parts of a page share what they read of the database.
func remembering(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if r := c.Request(); reads(c) {
			c.SetRequest(r.WithContext(sqldb.WithMemory(r.Context())))
		}
		return next(c)
	}
}

func reads(c echo.Context) bool {
	method := c.Request().Method
	return method == http.MethodGet || method == http.MethodHead
}

// onlyHTTPS tells browsers to come by HTTPS for two years, where cookies travel so.
func (s server) onlyHTTPS(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if s.config.SignIn.Secure {
			c.Response().Header().Set(echo.HeaderStrictTransportSecurity, "max-age=63072000; includeSubDomains")
		}
		return next(c)
	}
}

// sender names the person who sends a request; empty for nobody.
func sender(c echo.Context) string {
	session, _ := accounts.Who(c)
	return string(session.Person.ID)
}

// bodyLimit bounds all requests but those that bear a file of dwellings, which
// have their own limit.
func bodyLimit() echo.MiddlewareFunc {
	return middleware.BodyLimitWithConfig(middleware.BodyLimitConfig{Limit: "64K",
		Skipper: func(c echo.Context) bool {
			file := c.Path() == apiRoot+"/stock-imports" || c.Path() == landlord.ImportPath || c.Path() == machineImports || c.Path() == machineWipes || workshopFile(c.Path())
			return file && c.Request().Method == http.MethodPost
		}})
}

// headAsGet lets HEAD be asked wherever GET is, as HTTP has it (RFC 9110, 9.1).
// The server, which keeps the request as it came, sends no body.
func headAsGet(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			r = r.Clone(r.Context())
			r.Method = http.MethodGet
		}
		next.ServeHTTP(w, r)
	})
}

// sameSite refuses what another site sends in a reader's name.
func sameSite(next echo.HandlerFunc) echo.HandlerFunc {
	protection := http.NewCrossOriginProtection()
	return func(c echo.Context) error {
		if err := protection.Check(c.Request()); err != nil {
			return &problem.Error{Kind: problem.Forbidden, Message: "error.forbidden", Err: err}
		}
		return next(c)
	}
}

func (s server) recoverPanics() echo.MiddlewareFunc {
	return middleware.RecoverWithConfig(middleware.RecoverConfig{LogErrorFunc: func(_ echo.Context, err error, stack []byte) error {
		s.log.Error("panic", "error", err, "stack", string(stack))
		return err
	}})
}

// fault answers with what may be told of an error, and logs what someone must
// act on.
func (s server) fault(site *web.Site) echo.HTTPErrorHandler {
	return func(err error, c echo.Context) {
		if c.Response().Committed {
			return
		}
		p := problem.Of(err)
		s.logFault(c, p)
		var answer error
		if strings.HasPrefix(c.Request().URL.Path, apiRoot) {
			answer = problem.Write(c, p, web.LanguageOf(c).T)
		} else {
			answer = site.Fault(c, p)
		}
		if answer != nil && !errors.Is(answer, context.Canceled) {
			s.log.Error("answer not sent", "route", c.Path(), "error", answer)
		}
	}
}

func (s server) logFault(c echo.Context, p *problem.Error) {
	if c.Request().Context().Err() != nil {
		return // the reader left
	}
	switch p.Kind {
	case problem.Internal:
		s.log.Error("request failed", "method", c.Request().Method, "route", c.Path(), "error", p.Err)
	case problem.Unavailable:
		s.log.Warn("service away", "method", c.Request().Method, "route", c.Path(), "error", p.Err)
	case problem.Forbidden:
		s.log.Info("request forbidden", "method", c.Request().Method, "route", c.Path(), "person", sender(c), "problem", p.Message)
	default:
		s.log.Debug("request refused", "method", c.Request().Method, "route", c.Path(), "problem", p.Message)
	}
}

// measure counts requests by route and status, and their time by route.
func (s server) measure() echo.MiddlewareFunc {
	count := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "xnet_api_requests_total",
		Help: "Requests answered, by method, route and status."}, []string{"method", "route", "status"})
	spent := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "xnet_api_request_seconds",
		Help: "Time to answer a request, by route.", Buckets: prometheus.ExponentialBuckets(0.001, 2.5, 10)}, []string{"route"})
	s.figures.MustRegister(count, spent)
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			begun := time.Now()
			if err := next(c); err != nil {
				c.Error(err) // the status is known only once the error is answered
			}
			route := c.Path()
			if route == "" {
				route = "none"
			}
			count.WithLabelValues(method(c), route, strconv.Itoa(c.Response().Status)).Inc()
			spent.WithLabelValues(route).Observe(time.Since(begun).Seconds())
			return nil
		}
	}
}

// method keeps senders from inventing labels.
func method(c echo.Context) string {
	switch m := c.Request().Method; m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodDelete:
		return m
	default:
		return "other"
	}
}
