// Package sound holds the checks that every page is put to in a browser: whether
// somebody who sees little, hears the page, or uses the keyboard can use it.
package sound

import _ "embed"

// Script is a JavaScript expression that judges the page in which it is run. It
// returns a text: the faults, one a line, each as its rule and what breaks it; empty
// where there is none. The rules are those of WCAG 2.2, levels A and AA, that can be
// seen in a page at rest, by success criterion: 1.1.1, 1.3.1, 1.4.3, 1.4.4, 2.4.1,
// 2.4.2, 2.4.3, 2.4.4, 2.4.6, 2.5.8, 3.1.1, 3.1.2, 3.3.1, 3.3.2 and 4.1.2.
//
//go:embed sound.js
var Script string
