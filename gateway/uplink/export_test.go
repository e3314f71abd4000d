package uplink

import "crypto/tls"

// TLSFor is how an uplink of these options speaks TLS.
func TLSFor(o Options) (*tls.Config, error) { return o.tls() }
