// Package e2e tests the programs as they are built, end to end, with a real
// broker and a real InfluxDB: real measurements imported and asked back, and
// every process killed while meters are read.
package e2e
