package figures

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// ErrNoCertificate: a file holds no certificate. Test with errors.Is.
var ErrNoCertificate = errors.New("holds no certificate: want PEM")

// CertificateEnd returns when the first certificate in a file (PEM) to end does
// so. It fails with [ErrNoCertificate].
func CertificateEnd(path string) (time.Time, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return time.Time{}, fmt.Errorf("certificate: %w", err)
	}
	var ends []time.Time
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return time.Time{}, fmt.Errorf("certificate %s: %w: %w", path, ErrNoCertificate, err)
		}
		ends = append(ends, c.NotAfter)
	}
	if len(ends) == 0 {
		return time.Time{}, fmt.Errorf("certificate %s: %w", path, ErrNoCertificate)
	}
	return slices.MinFunc(ends, time.Time.Compare), nil
}

// A Disk is the file system that a folder lies on, in bytes.
type Disk struct{ Free, Size uint64 }

// Full returns how much of the disk is taken, from 0 to 1.
func (d Disk) Full() float64 {
	if d.Size == 0 {
		return 0
	}
	return 1 - float64(d.Free)/float64(d.Size)
}

// DiskOf returns the file system of a folder; free is what an ordinary program
// may still take.
func DiskOf(folder string) (Disk, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(folder, &s); err != nil {
		return Disk{}, fmt.Errorf("disk of %s: %w", folder, err)
	}
	unit := uint64(s.Bsize)
	return Disk{Free: s.Bavail * unit, Size: (s.Blocks - s.Bfree + s.Bavail) * unit}, nil
}

var (
	certificateEnd = prometheus.NewDesc("xnet_certificate_end_timestamp_seconds",
		"When a certificate of the configuration ends; 0 where its file cannot be read.", []string{"file"}, nil)
	diskFree = prometheus.NewDesc("xnet_disk_free_bytes", "What the program may still write where the folder lies.", []string{"folder"}, nil)
	diskSize = prometheus.NewDesc("xnet_disk_size_bytes", "Size of the disk on which the folder lies.", []string{"folder"}, nil)
)

// A Standing tells the end of certificates and the room on disks, looked at
// whenever Prometheus asks. It is a [prometheus.Collector].
type Standing struct {
	certificates, folders []string
}

// NewStanding returns the standing of certificates' files (PEM) and of folders;
// empty names count for nothing.
func NewStanding(certificates, folders []string) *Standing {
	named := func(names []string) []string {
		names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == "" })
		slices.Sort(names)
		return slices.Compact(names)
	}
	return &Standing{named(certificates), named(folders)}
}

// Describe implements [prometheus.Collector].
func (s *Standing) Describe(to chan<- *prometheus.Desc) {
	to <- certificateEnd
	to <- diskFree
	to <- diskSize
}

// Collect implements [prometheus.Collector].
func (s *Standing) Collect(to chan<- prometheus.Metric) {
	for _, file := range s.certificates {
		var seconds float64
		if end, err := CertificateEnd(file); err == nil {
			seconds = float64(end.Unix())
		}
		to <- prometheus.MustNewConstMetric(certificateEnd, prometheus.GaugeValue, seconds, file)
	}
	for _, folder := range s.folders {
		if d, err := DiskOf(folder); err == nil {
			to <- prometheus.MustNewConstMetric(diskFree, prometheus.GaugeValue, float64(d.Free), folder)
			to <- prometheus.MustNewConstMetric(diskSize, prometheus.GaugeValue, float64(d.Size), folder)
		}
	}
}
