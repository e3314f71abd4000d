package registry

// Rest is for tests.
var Rest = rest
