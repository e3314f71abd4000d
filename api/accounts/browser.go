package accounts

import "strings"

// BrowserOf says roughly which browser and system sent a User-Agent, as in
// "Firefox, Windows": enough to know one's own again, too little to follow
// anybody. It is empty where nothing is known.
func BrowserOf(agent string) string {
	var known []string
	for _, kinds := range [][][2]string{
		{{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser", "Samsung"}, {"Firefox", "Firefox"}, {"FxiOS", "Firefox"},
			{"CriOS", "Chrome"}, {"Chrome", "Chrome"}, {"Chromium", "Chrome"}, {"Safari", "Safari"}},
		{{"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Windows", "Windows"}, {"CrOS", "Chromebook"},
			{"Mac OS", "Mac"}, {"Linux", "Linux"}},
	} {
		for _, kind := range kinds {
			if strings.Contains(agent, kind[0]) {
				known = append(known, kind[1])
				break
			}
		}
	}
	return strings.Join(known, ", ")
}
