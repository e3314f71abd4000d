package accounts

// Admit is for tests of what a request that is let in bears.
var Admit = admit
