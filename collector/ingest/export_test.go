package ingest

// NewSocket is for tests of what the link does to a connection.
var NewSocket = newSocket
