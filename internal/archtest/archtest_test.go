package archtest_test

import (
	"testing"

	"github.com/xnetroseraie/xnet/internal/archtest"
)

func TestRepository(t *testing.T) {
	tree, err := archtest.Load("../..")
	if err != nil {
		t.Fatal(err)
	}
	if len(tree.Packages) < 8 || len(tree.Texts) < 30 {
		t.Fatalf("%d packages and %d texts: this is not the repository", len(tree.Packages), len(tree.Texts))
	}
	for _, rule := range archtest.Rules() {
		t.Run(rule.Name, func(t *testing.T) {
			for _, fault := range rule.Check(tree) {
				t.Error(fault)
			}
		})
	}
}
