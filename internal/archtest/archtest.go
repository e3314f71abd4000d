// Package archtest holds the repository to its own rules: which package may
// import which, how long files and functions may be, what must be documented.
// Each rule is a function over a [Tree] that returns the faults it found; the
// package's test runs all of them over the repository.
//
// The source is parsed, not built: files of every operating system count, and a
// tree that does not compile can still be judged.
package archtest

// Module is the path of the module that the rules are about.
const Module = "github.com/xnetroseraie/xnet"

// A Tree is what the rules look at: a module's Go packages and all its text
// files, with slash-separated paths relative to the module's root.
type Tree struct {
	Packages []Package
	Texts    []Text
}

// A Package is a folder of Go files.
type Package struct {
	Path  string // of the folder, as in "gateway/spool"; "." is the root
	Name  string // as in "spool", without _test
	Files []File
}

// A File is one Go file.
type File struct {
	Path        string
	Lines       int
	Test        bool // ends in _test.go
	Generated   bool // says "Code generated … DO NOT EDIT."
	PackageDoc  bool // bears a package comment
	Imports     []string
	Functions   []Function
	Identifiers []Identifier
}

// A Function is a declared function or method.
type Function struct {
	Name  string
	Line  int
	Lines int // from func to the closing brace
}

// An Identifier is an exported name of a package's surface: a constant,
// variable, type, function, or method of an exported type.
type Identifier struct {
	Name       string
	Line       int
	Documented bool
}

// A Text is a file that is not binary.
type Text struct {
	Path    string
	Content string
}

// A Rule finds the faults of a tree. Each fault is a sentence that begins with
// the path of what is at fault and says what the rule asks for.
type Rule struct {
	Name  string
	Check func(Tree) []string
}

// Rules returns every rule.
func Rules() []Rule {
	return []Rule{
		{"layout", Layout},
		{"imports", Imports},
		{"areas", Areas},
		{"testkit", Testkit},
		{"file length", FileLength},
		{"function length", FunctionLength},
		{"main length", MainLength},
		{"package comment", PackageComment},
		{"exported names", ExportedNames},
		{"package names", PackageNames},
		{"readme", Readme},
		{"words", Words},
	}
}
