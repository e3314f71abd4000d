// Clean calls nothing that the database of this test calls vulnerable.
package main

import (
	"fmt"
	"strings"
)

func main() { fmt.Println(strings.ToUpper("a")) }
