package computers

import (
	"hash/fnv"
	"slices"
	"strings"
)

// Plain brings what was typed or scanned into the form that ids are kept in:
// capitals and digits without signs and spaces. Of an address, as some scanners
// write it, the last part counts.
func Plain(typed string) string {
	typed = strings.TrimRight(strings.TrimSpace(typed), "/")
	if i := strings.LastIndexByte(typed, '/'); i >= 0 && strings.Contains(typed, "://") {
		typed = typed[i+1:]
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return -1
	}, typed)
}

// alike are letters that are read as digits.
var alike = strings.NewReplacer("O", "0", "I", "1", "L", "1")

// Fold makes one of ids that look the same: O and 0, I, L and 1.
func Fold(typed string) string { return alike.Replace(Plain(typed)) }

// Lengths of folded ids whose slips are looked for: shorter ones are a slip from
// too many, longer ones are none.
const (
	shortestAlike = 4
	longestAlike  = 32
)

// Variants are numbers of a folded id and of it with each sign left out. Ids that
// are one slip apart have one in common, and few others have. It is empty for ids
// whose slips are not looked for.
func Variants(folded string) []int64 {
	if len(folded) < shortestAlike || len(folded) > longestAlike {
		return nil
	}
	all := []int64{numbered(folded)}
	for i := range len(folded) {
		all = append(all, numbered(folded[:i]+folded[i+1:]))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func numbered(text string) int64 {
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(text)) // never fails
	return int64(sum.Sum64())
}

// isSlip reports whether two folded ids differ by one slip: one sign another, two
// neighbours swapped, one sign left out or one too many.
func isSlip(a, b string) bool {
	for a != "" && b != "" && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for a != "" && b != "" && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	switch {
	case len(a)+len(b) == 1, len(a) == 1 && len(b) == 1:
		return true
	}
	return len(a) == 2 && len(b) == 2 && a[0] == b[1] && a[1] == b[0]
}
