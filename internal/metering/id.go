package metering

import "fmt"

// A MeterID names one physical meter, for ever: 1 to 64 characters out of
// letters, digits, dot, underscore and hyphen. A replaced meter gets a new id.
type MeterID string

// A PointID names a point of delivery (fr. point de livraison): the place where
// a meter counts, which outlives the meters that hang there.
type PointID string

// A SiteID names a site, usually one residence. Same characters as a [MeterID].
type SiteID string

// A GatewayID names a gateway within its site. Same characters as a [MeterID].
type GatewayID string

// ValidID reports whether id may name a meter, a site or a gateway. Such a name
// is safe inside an MQTT topic, a Flux string and a file name.
func ValidID[T ~string](id T) bool {
	if len(id) < 1 || len(id) > longestID || id == "." || id == ".." {
		return false
	}
	for i := range len(id) { // bytes: letters of one byte only
		switch c := id[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}

const longestID = 64

// CheckID returns an error that names what and id where id may not name it.
func CheckID[T ~string](what string, id T) error {
	if ValidID(id) {
		return nil
	}
	return fmt.Errorf("%s %q: want 1 to 64 letters, digits, dots, underscores or hyphens", what, string(id))
}
