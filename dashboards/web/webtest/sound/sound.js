(() => {
const faults = []
const all = what => [...document.querySelectorAll(what)]
const words = text => (text || "").replace(/\s+/g, " ").trim()
const show = e => e.tagName.toLowerCase() + (e.id ? "#" + e.id : "") + (e.name ? "[name=" + e.name + "]" : "") + " " + JSON.stringify(words(e.textContent).slice(0, 60))
const fault = (rule, e) => faults.push(rule + ": " + (typeof e === "string" ? e : show(e)))
const seen = e => e.getClientRects().length > 0 && getComputedStyle(e).visibility === "visible"
const hidden = e => e.closest("[aria-hidden=true]") !== null
const named = e => words(e.getAttribute("aria-label")) ||
	words((e.getAttribute("aria-labelledby") || "").split(/\s+/).map(id => id && document.getElementById(id)?.textContent).join(" ")) ||
	words([...(e.labels || [])].map(l => l.textContent).join(" ")) || words(e.textContent) || words(e.querySelector("svg title, img[alt]")?.textContent || e.querySelector("img[alt]")?.alt)

// The page itself: 3.1.1, 2.4.2, 1.4.4.
if (!/^(fr|en)$/.test(document.documentElement.lang)) fault("language of the page", document.documentElement.lang)
if (!words(document.title)) fault("title", "the page has none")
const viewport = document.querySelector("meta[name=viewport]")
if (!viewport || /user-scalable\s*=\s*no|maximum-scale/.test(viewport.content)) fault("zoom", "the page forbids it")
all("[lang]").forEach(e => { if (!/^[a-z]{2,3}(-[A-Za-z]{2,4})?$/.test(e.lang)) fault("language of a part", e) })

// Parts and headings: 1.3.1, 2.4.1, 2.4.6.
if (all("main").length !== 1) fault("main part", "there are " + all("main").length)
if (all("h1").filter(seen).length !== 1) fault("first heading", "there are " + all("h1").filter(seen).length)
let level = 0
all("main h1, main h2, main h3, main h4, main h5, main h6").filter(seen).forEach(e => {
	const next = Number(e.tagName[1])
	if (next > level + 1) fault("heading that skips a level", e)
	if (!words(e.textContent)) fault("empty heading", e)
	level = next
})
const navs = all("nav").map(e => named2(e))
function named2(e) { return words(e.getAttribute("aria-label")) || words(document.getElementById(e.getAttribute("aria-labelledby"))?.textContent) }
if (navs.length > 1 && new Set(navs.filter(Boolean)).size !== navs.length) fault("names of navigation", navs.join(", "))
const skip = document.querySelector("body a[href^='#']")
if (!skip || !document.querySelector(skip.getAttribute("href"))) fault("link to the content", "there is none")

// Names: 4.1.2, 1.1.1, 2.4.4, 3.3.2.
const ids = all("[id]").map(e => e.id)
ids.filter((id, at) => ids.indexOf(id) !== at).forEach(id => fault("id twice", id))
for (const refer of ["aria-labelledby", "aria-describedby", "aria-controls", "for", "list", "headers"])
	all("[" + refer + "]").forEach(e => e.getAttribute(refer).split(/\s+/).filter(id => id && !document.getElementById(id)).forEach(id => fault(refer + " leads nowhere", id)))
all("a[href], button, summary").filter(e => !hidden(e)).forEach(e => { if (!named(e)) fault("nothing to say", e) })
all("input:not([type=hidden], [hidden]), select, textarea").forEach(e => { if (!named(e) || (e.labels.length === 0 && !e.hasAttribute("aria-label") && !e.hasAttribute("aria-labelledby"))) fault("field without label", e) })
all("img:not([alt])").forEach(e => fault("picture without words", e))
all("svg").filter(e => !hidden(e)).forEach(e => { if (e.getAttribute("role") !== "img" || !named(e) && !e.querySelector("title, desc")) fault("drawing without words", e) })
all("fieldset").filter(seen).forEach(e => { if (!words(e.querySelector("legend")?.textContent)) fault("group without question", e) })
all("input[type=radio]").filter(seen).forEach(e => { if (!e.closest("fieldset, [role=radiogroup], [role=group]")) fault("choice without question", e) })
all("[aria-invalid=true]").forEach(e => { if (!e.getAttribute("aria-describedby")) fault("fault that is not told", e) })
all("[tabindex]").forEach(e => { if (e.tabIndex > 0) fault("own order of the keyboard", e) })
all("table").filter(seen).forEach(e => { if (!e.querySelector("th")) fault("table without heads", e) })
all("th").forEach(e => { if (!words(e.textContent) && !e.getAttribute("aria-label")) fault("empty head of a table", e); if (!e.scope) fault("head of a table without scope", e) })
all("ul, ol").forEach(e => { if ([...e.children].some(c => !/^(LI|SCRIPT|TEMPLATE)$/.test(c.tagName))) fault("list of other things", e) })
all("dl").forEach(e => { if ([...e.children].some(c => !/^(DT|DD|DIV)$/.test(c.tagName))) fault("list of other things", e) })
all("[role=button], [role=link], [onclick]").forEach(e => fault("made to look like a control", e))
all("a a, a button, button a, button button, summary a, summary button").forEach(e => fault("control within a control", e))

// Contrast of words on what they stand on: 1.4.3.
const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true})
const rgba = colour => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data] }
const over = (top, under) => [0, 1, 2].map(i => top[i] * top[3] / 255 + under[i] * (1 - top[3] / 255))
const light = c => c.slice(0, 3).map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0)
const ground = e => {
	const layers = []
	for (let at = e; at; at = at.parentElement) layers.unshift(rgba(getComputedStyle(at).backgroundColor))
	return layers.reduce((under, top) => over(top, under), [255, 255, 255])
}
const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
const judged = new Set()
while (texts.nextNode()) {
	const e = texts.currentNode.parentElement
	if (!words(texts.currentNode.data) || judged.has(e) || !seen(e) || e.closest("[disabled], svg")) continue
	judged.add(e)
	const style = getComputedStyle(e), under = ground(e), pair = [light(over(rgba(style.color), under)), light(under)].sort((a, b) => b - a)
	const size = parseFloat(style.fontSize), big = size >= 24 || size >= 18.66 && Number(style.fontWeight) >= 700
	const ratio = (pair[0] + 0.05) / (pair[1] + 0.05)
	if (ratio < (big ? 3 : 4.5)) fault("contrast of " + ratio.toFixed(1), e)
}

// What a finger must hit: 2.5.8. A link within a sentence is as high as its line.
const targets = all("a[href], button, summary, select, textarea, input:not([type=hidden])").filter(seen)
const boxes = targets.map(e => (e.matches("[type=checkbox], [type=radio]") && e.closest("label") || e).getBoundingClientRect())
targets.forEach((e, at) => {
	const box = boxes[at]
	if (box.right <= 0 || box.width >= 23.5 && box.height >= 23.5 || e.tagName === "A" && getComputedStyle(e).display === "inline" && e.closest("p, li, td, dd")) return
	const x = box.left + box.width / 2, y = box.top + box.height / 2
	if (boxes.some((b, i) => i !== at && x + 12 > b.left && x - 12 < b.right && y + 12 > b.top && y - 12 < b.bottom)) fault("too small to hit", e)
})
return faults.join("\n")
})()
