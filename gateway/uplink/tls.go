package uplink

import (
	"crypto/tls"
	"fmt"

	"github.com/xnetroseraie/xnet/internal/config"
)

// tls returns how to speak TLS, nil where the system's defaults do. It reads the
// files anew at each call.
func (o Options) tls() (*tls.Config, error) {
	c, err := config.TLS(o.CAFile, o.CertificateFile, o.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	return c, nil
}
