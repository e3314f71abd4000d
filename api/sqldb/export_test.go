package sqldb

import "database/sql/driver"

// MostKept bounds the statements of a connection.
const MostKept = mostKept

// A Conn is what a connection must be able to do so that it can keep statements.
type Conn = conn

// Keeping returns a connector whose connections keep their statements.
func Keeping(c driver.Connector) driver.Connector { return keeper{c} }
