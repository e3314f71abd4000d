package main

import (
	"bytes"
	"compress/gzip"
	"crypto/md5" //nolint:gosec // the format of Debian's packages, for accidents, not for attackers
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
)

// A staging is the tree of a package that is being laid out.
type staging struct {
	*dist
	pack
	arch
	root     string
	programs []string // files that were built
}

func (t *staging) path(target string) string {
	return filepath.Join(t.root, filepath.FromSlash(target))
}

// put writes a file of the tree.
func (t *staging) put(target string, text []byte, mode fs.FileMode) error {
	file := t.path(target)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return errors.Join(os.WriteFile(file, text, mode), os.Chmod(file, mode)) // whatever the mask is
}

// copies puts files of the repository into the tree.
func (t *staging) copies(files map[string]string) error {
	for target, source := range files {
		text, err := os.ReadFile(source)
		if err != nil {
			return err
		}
		if err := t.put(target, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (t *staging) program(built, target string) error {
	text, err := os.ReadFile(built)
	if err != nil {
		return err
	}
	t.programs = append(t.programs, built)
	return t.put(target, text, 0o755)
}

// layOut puts everything but the programs into the tree.
func (t *staging) layOut() error {
	files := map[string]string{}
	for _, unit := range t.units {
		files["/usr/lib/systemd/system/"+unit] = "deploy/systemd/" + unit
	}
	for _, step := range []func() error{
		func() error { return t.copies(files) },
		func() error { return t.copies(t.pack.files) },
		func() error { return t.copies(t.conffiles) },
		t.manual, t.papers, t.overrides, t.control} {
		if err := step(); err != nil {
			return err
		}
	}
	return t.plain()
}

// plain gives every folder the mode that Debian's have, whatever the mask is.
func (t *staging) plain() error {
	return filepath.WalkDir(t.root, func(file string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			err = os.Chmod(file, 0o755)
		}
		return err
	})
}

// putZipped writes a file of the tree as gzip, without a time or a name.
func (t *staging) putZipped(target string, text []byte) error {
	packed := &bytes.Buffer{}
	w, err := gzip.NewWriterLevel(packed, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err = w.Write(text); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return t.put(target, packed.Bytes(), 0o644)
}

var manualPage = template.Must(template.New("page").Parse(`.TH {{.Upper}} {{.Section}} "{{.Date}}" "XnetRoseraie {{.Version}}"
.SH NAME
{{.Name}} \- {{.Summary}}
.SH SYNOPSIS
.B {{.Name}}
.RI [ COMMAND ]
.RI [ FLAGS ]
.SH DESCRIPTION
{{.Text}}
.PP
.B {{.Name}} \-\-help
lists commands and flags.
.SH SEE ALSO
{{.See}}
`))

func (t *staging) manual() error {
	for _, p := range t.pages {
		var text bytes.Buffer
		if err := manualPage.Execute(&text, map[string]any{"Upper": strings.ToUpper(p.name), "Name": p.name, "Section": p.section,
			"Date": t.epoch.Format("2006-01-02"), "Version": t.Version, "Summary": p.summary,
			"Text": strings.ReplaceAll(p.text, "-", `\-`), "See": strings.ReplaceAll(p.see, "-", `\-`)}); err != nil {
			return err
		}
		if err := t.putZipped(fmt.Sprintf("/usr/share/man/man%d/%s.%d.gz", p.section, p.name, p.section), text.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// doc is the package's folder of papers.
func (t *staging) doc(file string) string { return path.Join("/usr/share/doc", t.pack.name, file) }

// papers are what Debian wants beside the programs: whose they are, what changed.
func (t *staging) papers() error {
	notice := fmt.Sprintf("%s\nSource: %s\n\nCopyright (C) %d the authors of XnetRoseraie\nLicense: Apache-2.0\n\n"+
		"On Debian systems the text of the Apache License 2.0 is in\n/usr/share/common-licenses/Apache-2.0.\n\n"+
		"The programs contain libraries of others. Their names, versions and licences\nare in third-party.txt.gz beside this file.\n", t.pack.name, homepage, t.epoch.Year())
	if err := t.put(t.doc("copyright"), []byte(notice), 0o644); err != nil {
		return err
	}
	changes := fmt.Sprintf("%s (%s) stable; urgency=medium\n\n  * See CHANGELOG.md of the sources for what changed.\n\n -- %s  %s\n",
		t.pack.name, t.Version, maintainer, t.epoch.Format("Mon, 02 Jan 2006 15:04:05 -0700"))
	others, err := thirdParty(t.programs)
	if err != nil {
		return err
	}
	return errors.Join(t.putZipped(t.doc("changelog.gz"), []byte(changes)), t.putZipped(t.doc("third-party.txt.gz"), others))
}

// overrides tells lintian what is as it is on purpose.
func (t *staging) overrides() error {
	var text strings.Builder
	text.WriteString("# Go programs carry their libraries: nothing else need be installed.\n")
	for _, b := range t.binaries {
		fmt.Fprintf(&text, "%s: statically-linked-binary [%s]\n", t.pack.name, strings.TrimPrefix(b.installed, "/"))
	}
	return t.put("/usr/share/lintian/overrides/"+t.pack.name, []byte(text.String()), 0o644)
}

// sums lists the checksums of all files, as the package's md5sums.
func (t *staging) sums() (text string, kilobytes int64, err error) {
	var lines []string
	err = filepath.WalkDir(t.root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		in, err := os.Open(file)
		if err != nil {
			return err
		}
		sum := md5.New() //nolint:gosec // as above
		size, err := io.Copy(sum, in)
		name, relErr := filepath.Rel(t.root, file)
		lines = append(lines, fmt.Sprintf("%x  %s\n", sum.Sum(nil), filepath.ToSlash(name)))
		kilobytes += (size + 1023) / 1024
		return errors.Join(err, relErr, in.Close())
	})
	slices.Sort(lines)
	return strings.Join(lines, ""), kilobytes, err
}
