package influx

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	influxdb2 "github.com/influxdata/influxdb-client-go/v2"
	"github.com/influxdata/influxdb-client-go/v2/domain"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// A dialect is what differs between the versions of InfluxDB.
type dialect interface {
	// bucketName returns the name by which writes know bucket.
	bucketName(bucket string) string
	// query hands the runs of q, whose meter ids are checked, to each. An answer
	// that breaks off is an error.
	query(ctx context.Context, q pointQuery, each func(*run)) error
	// tally returns the number and the sum of the points of q's only field, by
	// meter. A meter without points is absent.
	tally(ctx context.Context, q pointQuery) (map[metering.MeterID]Tally, error)
	// create makes the bucket, which keeps points for keep, 0 for ever, in shards
	// of that length. Idempotent.
	create(ctx context.Context, bucket string, shards, keep time.Duration) error
	// keep changes how long the bucket, which exists, keeps its points.
	keep(ctx context.Context, bucket string, shards, keep time.Duration) error
	// erase removes the points of meters within the ranges, in their order.
	// Idempotent.
	erase(ctx context.Context, bucket, measurement string, meters []metering.MeterID, ranges []Range) error
	// meters lists the meters that the measurement has points of, or had, sorted.
	meters(ctx context.Context, bucket, measurement string) ([]metering.MeterID, error)
	// retention returns how long the bucket keeps its points, 0 for ever. Found
	// is false where there is no such bucket.
	retention(ctx context.Context, bucket string) (keep time.Duration, found bool, err error)
}

var (
	_ dialect = v1{}
	_ dialect = v2{}
)

func dialectFor(c Config, client influxdb2.Client) dialect {
	if c.Org == "" {
		return v1{client}
	}
	return v2{client, c.Org}
}

// v1 is InfluxDB 1.8: a bucket is a database with the policy autogen; queries,
// databases, policies and deletes go through InfluxQL.
type v1 struct{ client influxdb2.Client }

const policy = "autogen"

func (v v1) bucketName(bucket string) string { return bucket + "/" + policy }

// pointsPerChunk is how many rows of a series one part of an answer holds.
const pointsPerChunk = "10000"

func (v v1) query(ctx context.Context, q pointQuery, each func(*run)) error {
	return v.runs(ctx, q.bucket, q.influxql(), each)
}

func (v v1) tally(ctx context.Context, q pointQuery) (map[metering.MeterID]Tally, error) {
	tallies := make(map[metering.MeterID]Tally, len(q.meters))
	err := v.runs(ctx, q.bucket, q.influxqlTally(), func(r *run) {
		t := tallies[r.meter]
		switch r.field {
		case "count":
			t.Points = int(r.points[0].n)
		case "sum":
			t.Sum = metering.Amount(r.points[0].n)
		}
		tallies[r.meter] = t
	})
	return tallies, err
}

// runs has the rows of one statement handed to each.
func (v v1) runs(ctx context.Context, database, statement string, each func(*run)) error {
	form := url.Values{"db": {database}, "epoch": {"ms"}, "chunked": {"true"}, "chunk_size": {pointsPerChunk}, "q": {statement}}
	return post(ctx, v.client, "query", "application/x-www-form-urlencoded", []byte(form.Encode()), func(body io.Reader) error {
		return drain(newInfluxqlRuns(body), each)
	})
}

func (v v1) create(ctx context.Context, bucket string, shards, keep time.Duration) error {
	_, err := v.influxql(ctx, fmt.Sprintf(`CREATE DATABASE %q WITH %s NAME %q`, bucket, lasting(shards, keep), policy))
	return err
}

func (v v1) keep(ctx context.Context, bucket string, shards, keep time.Duration) error {
	_, err := v.influxql(ctx, fmt.Sprintf(`ALTER RETENTION POLICY %q ON %q %s`, policy, bucket, lasting(shards, keep)))
	return err
}

func lasting(shards, keep time.Duration) string {
	return fmt.Sprintf(`DURATION %s REPLICATION 1 SHARD DURATION %s`, influxqlDuration(keep), influxqlDuration(shards))
}

// retention returns how long the database's policy keeps points, 0 for ever.
// Found is false where there is no such database.
func (v v1) retention(ctx context.Context, database string) (keep time.Duration, found bool, err error) {
	databases, err := v.influxql(ctx, `SHOW DATABASES`)
	if err != nil {
		return 0, false, err
	}
	for _, row := range databases {
		found = found || row["name"] == database
	}
	if !found {
		return 0, false, nil
	}
	policies, err := v.influxql(ctx, fmt.Sprintf(`SHOW RETENTION POLICIES ON %q`, database))
	if err != nil {
		return 0, false, err
	}
	for _, row := range policies {
		if row["name"] == policy {
			keep, err = time.ParseDuration(row["duration"])
			return keep, true, err
		}
	}
	return 0, false, fmt.Errorf("database %s has no retention policy %s: choose another influx.prefix, or create the policy",
		database, policy)
}

// rangesPerRequest is how many statements one request carries.
const rangesPerRequest = 50

func (v v1) erase(ctx context.Context, bucket, measurement string, meters []metering.MeterID, ranges []Range) error {
	names := make([]string, len(meters))
	for i, m := range meters {
		names[i] = influxqlName("meter") + " = " + influxqlString(string(m))
	}
	for chunk := range slices.Chunk(ranges, rangesPerRequest) {
		statements := make([]string, len(chunk))
		for i, r := range chunk {
			statements[i] = fmt.Sprintf(`DELETE FROM %q WHERE (%s) AND time >= %d AND time < %d`,
				measurement, strings.Join(names, " OR "), r.From.UnixNano(), r.To.UnixNano())
		}
		if _, err := v.influxqlOn(ctx, bucket, strings.Join(statements, "; ")); err != nil {
			return err
		}
	}
	return nil
}

func (v v1) influxql(ctx context.Context, statement string) ([]map[string]string, error) {
	return v.influxqlOn(ctx, "", statement)
}

// influxqlOn runs one statement and returns its rows, each column as text.
func (v v1) influxqlOn(ctx context.Context, database, statement string) ([]map[string]string, error) {
	form := url.Values{"q": {statement}}
	if database != "" {
		form.Set("db", database)
	}
	var answer influxqlAnswer
	err := post(ctx, v.client, "query", "application/x-www-form-urlencoded", []byte(form.Encode()), func(body io.Reader) error {
		if err := json.NewDecoder(body).Decode(&answer); err != nil {
			return fmt.Errorf("%w: %w", ErrTemporary, err) // the connection broke
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answer.rows()
}

// influxqlAnswer is the JSON of /query.
type influxqlAnswer struct {
	Error   string `json:"error"`
	Results []struct {
		Error  string `json:"error"`
		Series []struct {
			Columns []string `json:"columns"`
			Rows    [][]any  `json:"values"`
		} `json:"series"`
	} `json:"results"`
}

func (a influxqlAnswer) rows() ([]map[string]string, error) {
	if a.Error != "" {
		return nil, saidError(a.Error)
	}
	var rows []map[string]string
	for _, result := range a.Results {
		if result.Error != "" {
			return nil, saidError(result.Error)
		}
		for _, series := range result.Series {
			for _, cells := range series.Rows {
				row := make(map[string]string, len(cells))
				for i, cell := range cells {
					row[series.Columns[i]] = fmt.Sprint(cell)
				}
				rows = append(rows, row)
			}
		}
	}
	return rows, nil
}

func influxqlDuration(d time.Duration) string {
	if d == 0 {
		return "INF"
	}
	return fmt.Sprintf("%dh", d/time.Hour)
}

// v2 is InfluxDB 2.7: buckets belong to an organisation and are managed through
// the API.
type v2 struct {
	client influxdb2.Client
	org    string
}

func (v v2) bucketName(bucket string) string { return bucket }

func (v v2) query(ctx context.Context, q pointQuery, each func(*run)) error {
	body, err := json.Marshal(map[string]any{"query": q.flux(q.bucket), "type": "flux",
		"dialect": domain.Dialect{Header: new(true), Delimiter: new(","), Annotations: &[]domain.DialectAnnotations{}}})
	if err != nil {
		return fmt.Errorf("write the query: %w", err)
	}
	return post(ctx, v.client, "api/v2/query?org="+url.QueryEscape(v.org), "application/json", body, func(body io.Reader) error {
		return drain(&fluxRuns{in: newDecoder(body)}, each)
	})
}

func (v v2) tally(ctx context.Context, q pointQuery) (map[metering.MeterID]Tally, error) {
	tallies := make(map[metering.MeterID]Tally, len(q.meters))
	err := v.query(ctx, q, func(r *run) {
		t := tallies[r.meter]
		for _, p := range r.points {
			t.Points, t.Sum = t.Points+1, t.Sum+metering.Amount(p.n)
		}
		tallies[r.meter] = t
	})
	return tallies, err
}

func (v v2) create(ctx context.Context, bucket string, shards, keep time.Duration) error {
	org, err := v.client.OrganizationsAPI().FindOrganizationByName(ctx, v.org)
	if err != nil {
		return classify(err)
	}
	_, err = v.client.BucketsAPI().CreateBucketWithName(ctx, org, bucket, rules(shards, keep)...)
	if err != nil {
		if found, missing := v.find(ctx, bucket); missing == nil && found != nil {
			return nil // another collector was quicker
		}
	}
	return classify(err)
}

func (v v2) keep(ctx context.Context, bucket string, shards, keep time.Duration) error {
	found, err := v.find(ctx, bucket)
	switch {
	case err != nil:
		return err
	case found == nil:
		return fmt.Errorf("bucket %s: %w: %w", bucket, ErrTemporary, ErrAbsent)
	}
	found.RetentionRules = rules(shards, keep)
	_, err = v.client.BucketsAPI().UpdateBucket(ctx, found)
	return classify(err)
}

func rules(shards, keep time.Duration) domain.RetentionRules {
	seconds := int64(shards / time.Second)
	return domain.RetentionRules{{EverySeconds: int64(keep / time.Second), ShardGroupDurationSeconds: &seconds}}
}

// find returns the bucket, or nil where there is none of that name.
func (v v2) find(ctx context.Context, bucket string) (*domain.Bucket, error) {
	org, err := v.client.OrganizationsAPI().FindOrganizationByName(ctx, v.org)
	if err != nil {
		return nil, classify(err)
	}
	// Asked for a name that there is not, InfluxDB answers 404, and the library
	// hands on a text that cannot be told from other faults.
	limit, offset := domain.Limit(bucketsPerPage), domain.Offset(0)
	for {
		listed, err := v.client.APIClient().GetBuckets(ctx, &domain.GetBucketsParams{OrgID: org.Id, Limit: &limit, Offset: &offset})
		if err != nil {
			return nil, classify(err)
		}
		if listed.Buckets == nil {
			return nil, nil
		}
		for i := range *listed.Buckets {
			if b := &(*listed.Buckets)[i]; b.Name == bucket {
				return b, nil
			}
		}
		if len(*listed.Buckets) < bucketsPerPage {
			return nil, nil
		}
		offset += bucketsPerPage
	}
}

const bucketsPerPage = 100

func everySeconds(b *domain.Bucket) time.Duration {
	if len(b.RetentionRules) == 0 {
		return 0
	}
	return time.Duration(b.RetentionRules[0].EverySeconds) * time.Second
}

func (v v2) retention(ctx context.Context, bucket string) (keep time.Duration, found bool, err error) {
	b, err := v.find(ctx, bucket)
	if err != nil || b == nil {
		return 0, false, err
	}
	return everySeconds(b), true, nil
}

func (v v2) erase(ctx context.Context, bucket, measurement string, meters []metering.MeterID, ranges []Range) error {
	for _, m := range meters { // its predicates know no "or"
		predicate := fmt.Sprintf(`_measurement=%q AND meter=%q`, measurement, m)
		for _, r := range ranges {
			last := r.To.Add(-time.Nanosecond) // its stop is inclusive
			if err := v.client.DeleteAPI().DeleteWithName(ctx, v.org, bucket, r.From, last, predicate); err != nil {
				return classify(err)
			}
		}
	}
	return nil
}
