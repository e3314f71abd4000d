// Found calls what the database of this test calls vulnerable.
package main

import (
	"fmt"
	"strings"
)

func main() { fmt.Println(strings.ToValidUTF8("a", "")) }
