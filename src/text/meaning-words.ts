/**
 * Words by what they do to the meaning of a sentence, in English, French, German, Spanish and Welsh. All are folded: lower
 * case, without accents and apostrophes.
 */

/** Words that turn a sentence into its opposite. */
export const negations = wordSet(`
  not no never nor neither none nobody nothing nowhere without cannot cant wont dont doesnt didnt isnt arent wasnt werent
  hasnt havent hadnt shouldnt wouldnt couldnt neednt mustnt longer hardly barely aint
  pas jamais aucun aucune rien personne sans ni non plus
  nicht kein keine keinen keinem keiner nie niemals niemand nichts ohne weder
  sin nunca jamas ningun ninguna nadie nada tampoco
  dim nid ni nad heb neb byth ddim ddm`)

/** Numbers in words, days, months and other words of time and order. */
export const timesAndNumbers = wordSet(`
  zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen twenty thirty forty
  fifty sixty seventy eighty ninety hundred thousand million billion trillion half quarter third fourth fifth double triple
  once twice first second last next previous former latter pound dollar euro percent
  monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september
  october november december today yesterday tomorrow tonight morning evening spring summer autumn winter
  deux trois quatre cinq sept huit neuf dix onze douze vingt trente cent mille million milliard premier premiere
  deuxieme dernier derniere prochain prochaine lundi mardi mercredi jeudi vendredi samedi dimanche janvier fevrier mars
  avril mai juin juillet aout septembre octobre novembre decembre hier aujourdhui demain
  zwei drei vier funf sechs sieben acht neun zehn elf zwolf hundert tausend million millionen milliarde milliarden erste
  ersten zweite zweiten letzte letzten nachste nachsten montag dienstag mittwoch donnerstag freitag samstag sonntag januar
  februar marz juni juli oktober dezember gestern heute morgen
  dos tres cuatro cinco siete ocho nueve diez once doce veinte treinta ciento cien mil millon millones primer primera
  segundo segunda ultimo ultima proximo proxima lunes martes miercoles jueves viernes sabado domingo enero febrero marzo
  abril mayo junio julio agosto septiembre octubre noviembre diciembre ayer hoy manana
  dau dwy tri tair pedwar pedair pump chwech saith wyth naw deg cant mil miliwn cyntaf ail trydydd olaf nesaf dydd llun
  mawrth mercher iau gwener sadwrn sul ionawr chwefror ebrill mehefin gorffennaf awst medi hydref tachwedd rhagfyr ddoe
  heddiw yfory`)

/** Words with an opposite, and words that say how sure, how much or how often. A change of one changes the message. */
export const decisiveWords = wordSet(`
  will would may might could should must shall can says denies said denied
  all some many few most least more less fewer only every both either any again still yet already almost nearly partly
  grant granted grants refuse refused refuses refusal approve approved approves reject rejected rejects rejection accept
  accepted accepts decline declined declines allow allowed allows ban banned bans permit permitted forbid forbidden
  open opened opens opening close closed closes closing closure reopen reopened reopens shut shuts start started starts
  begin begins began stop stopped stops end ended ends resume resumes resumed pause paused delay delayed halt halted launch
  free freed frees release released detain detained arrest arrested jail jailed acquit acquitted convict convicted guilty
  innocent cleared charged dropped bail bailed rescued missing found lost dead alive dies died survives survived killed
  injured hurt safe
  rise rises rose risen rising fall falls fell fallen falling increase increased increases decrease decreased decreases grow
  grows grew shrink shrinks shrank gain gained gains lose loses up down higher lower high low raise raised raises cut cuts
  reduce reduced reduces expand expanded expands soar soars soared plunge plunges plunged slump slumps jump jumps double
  halve halved halves better worse best worst improve improves improved worsen worsens worsened strong weak above below over
  under before after until since
  win wins won beat beats beaten defeat defeated defeats draw drew pass passes passed fail failed fails succeed succeeds
  back backs backed oppose opposes opposed support supports supported against for pro anti agree agreed agrees disagree join
  joined joins leave leaves left quit quits resign resigns resigned stay stays stayed remain remains return returned returns
  enter exit appoint appointed appoints sack sacked sacks hire hired hires fire fired keep keeps kept scrap scrapped scraps
  save saved saves axe axed axes build built demolish demolished add added adds remove removed removes include included
  exclude excluded confirm confirmed confirms deny uphold upheld overturn overturned overturns quash quashed impose imposed
  lift lifted lifts extend extended extends shorten shortened cancel cancelled canceled cancels postponed postpone legal
  illegal lawful unlawful valid invalid possible impossible likely unlikely able unable public private north south east west
  northern southern eastern western left right men women boys girls man woman boy girl mother father son daughter brother
  sister husband wife him her his hers he she major minor true false right wrong rich poor old new young big small large
  re ex former non dis unemployed employed ahead behind inside outside buy buys bought sell sells sold lend borrow import export imports exports profit loss deficit
  surplus debt warn warns reassure praise praises praised criticise criticises criticised condemn condemns condemned welcome
  welcomes welcomed block blocked blocks clear clears protect protects attack attacked defend defended strike strikes
  ouvre ouvrent ouvert ouverte ferme ferment fermee fermes rouvre rouvrent hausse baisse augmente diminue monte accepte
  refuse refuses accorde approuve rejette adopte vote libere liberee arrete arretee detenu condamne acquitte gagne perd
  autorise interdit pour contre plus moins tous toutes quelques peut doit sera serait demissionne reste nie confirme avant
  apres gratuit payant maintient supprime
  offnet offnen geoffnet schliesst schliessen geschlossen steigt steigen gestiegen stieg sinkt sinken gesunken fallt fallen
  gefallen genehmigt abgelehnt lehnt ablehnt bewilligt stimmt erlaubt verboten verbietet frei freigelassen festgenommen
  verhaftet verurteilt freigesprochen gewinnt verliert mehr weniger fur gegen alle einige kann muss wird soll darf tritt
  bleibt vor nach hoher niedriger teurer billiger erhoht senkt gesenkt beginnt endet wieder bestatigt dementiert
  abre abren abierto cierra cierran cerrado reabre sube suben subio baja bajan bajo aumenta disminuye crece cae acepta
  rechaza rechazan aprueba aprueban deniega concede libera liberado detiene detenido absuelto condenado gana pierde permite
  prohibe mas menos contra favor todos algunos puede debe sera seria dimite sigue antes despues confirma desmiente
  agor agored cau ar gau codi codwyd gostwng gostyngodd cynyddu cynyddodd lleihau derbyn derbyniwyd gwrthod gwrthodwyd
  cymeradwyo cymeradwywyd caniatau caniatawyd rhyddhau arestio ennill colli mwy llai pawb rhai bydd gall rhaid ymddiswyddo
  aros cyn wedi o blaid yn erbyn`)

/** Articles and polite titles, which carry no meaning of their own. */
export const emptyWords = wordSet(`
  a an the mr mrs ms dr sir
  le la les l un une des du
  der das dem den ein eine einen einem einer
  el los las una uno unos unas lo
  y yr`)

/** Further small words that a sub-editor adds or drops. Not in headlines: "fined for fraud", "fined in fraud case". */
export const smallWords = wordSet(`
  and of to in on at by that this with as is are was were has have had be been its it from also which who their there
  et de a au aux en dans par que qui est sont ont son sa ses ce cette
  und von zu im in am an bei mit dass ist sind war hat haben sich auch
  y de a en con que por es son ha han su sus se al del
  a ac i yn o gan bod mae maen sydd`)

function wordSet(text: string): ReadonlySet<string> {
  return new Set(text.split(/\s+/).filter(Boolean))
}
