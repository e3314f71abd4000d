package wire

// What the fuzz tests hold against each other.
var (
	ScanPack      = scanPack
	DecodeGeneral = decodeGeneral
	AppendDecimal = appendDecimal
)
