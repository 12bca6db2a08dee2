// What the page says, in the languages it speaks.

export const TEXTS = {
  en: {
    views: "Views", captions: "Captions", recording: "Recording", speak: "Speak", talk: "Talk", interfaceLanguage: "Language of this page",
    start: "Start", stop: "Stop", source: "Source", language: "Spoken language", detect: "detect", translate: "Into English",
    keyterms: "Names and words to expect", keytermsExample: "separated by commas", level: "Input level", microphone: "Microphone", display: "A tab or a call",
    confidence: "Mark unsure words", times: "Times", large: "Large type (Esc)", overlay: "Overlay for OBS", copy: "Copy", copied: "Copied",
    choose: "File", cancel: "Cancel", progress: "Progress", text: "Text", speakNow: "Speak", voice: "Voice", defaultVoice: "default", speed: "Speed",
    firstAudio: "first audio after {ms} ms", startTalking: "Start talking", instructions: "Instructions", events: "Last events of the server",
    captionsHint: "Press Start and speak. Grey words may still change.",
    recordingHint: "Drop a recording anywhere on this page, or paste or choose one. Click a word to hear it.",
    talkHint: "Press Start, allow the microphone and say something. Speak to interrupt the answer.",
    keyNeeded: "This server needs an API key. It is exchanged for one that expires, and not stored.", key: "API key", useKey: "Use key",
    connecting: "connecting", open: "connected", lost: "connection lost, trying again", closed: "not connected", lag: "{s} s behind",
    ended: "The source has ended.", noWords: "No words were recognized in this recording.",
    noMicrophone: "Browsers give the microphone only to pages from this machine or over HTTPS.",
    noSound: "What was shared has no sound. Share a tab, and its sound with it. Firefox and Safari share no sound.",
    notAllowed: "The browser does not let this page use the source. Allow it in the settings of the page.",
    notFound: "There is no such microphone.", notReadable: "The microphone is in use by another program.",
    refused: "The server refuses this page: {message}", unreachable: "The server cannot be reached.",
  },
  de: {
    views: "Ansichten", captions: "Untertitel", recording: "Aufnahme", speak: "Sprechen", talk: "Gespräch", interfaceLanguage: "Sprache dieser Seite",
    start: "Start", stop: "Stopp", source: "Quelle", language: "Gesprochene Sprache", detect: "erkennen", translate: "Ins Englische",
    keyterms: "Erwartete Namen und Wörter", keytermsExample: "durch Kommas getrennt", level: "Eingangspegel", microphone: "Mikrofon", display: "Ein Tab oder ein Anruf",
    confidence: "Unsichere Wörter markieren", times: "Zeiten", large: "Große Schrift (Esc)", overlay: "Einblendung für OBS", copy: "Kopieren", copied: "Kopiert",
    choose: "Datei", cancel: "Abbrechen", progress: "Fortschritt", text: "Text", speakNow: "Sprechen", voice: "Stimme", defaultVoice: "Standard", speed: "Tempo",
    firstAudio: "erster Ton nach {ms} ms", startTalking: "Gespräch beginnen", instructions: "Anweisungen", events: "Letzte Ereignisse des Servers",
    captionsHint: "Auf Start drücken und sprechen. Graue Wörter können sich noch ändern.",
    recordingHint: "Eine Aufnahme auf diese Seite ziehen, einfügen oder auswählen. Ein Klick auf ein Wort spielt es ab.",
    talkHint: "Beginnen, das Mikrofon erlauben und etwas sagen. Wer spricht, unterbricht die Antwort.",
    keyNeeded: "Dieser Server verlangt einen API-Schlüssel. Er wird gegen einen getauscht, der abläuft, und nicht gespeichert.", key: "API-Schlüssel", useKey: "Verwenden",
    connecting: "verbindet", open: "verbunden", lost: "Verbindung verloren, neuer Versuch", closed: "nicht verbunden", lag: "{s} s Rückstand",
    ended: "Die Quelle ist zu Ende.", noWords: "In dieser Aufnahme wurden keine Wörter erkannt.",
    noMicrophone: "Browser geben das Mikrofon nur Seiten von diesem Rechner oder über HTTPS.",
    noSound: "Was geteilt wurde, hat keinen Ton. Bitte einen Tab samt Ton teilen. Firefox und Safari teilen keinen Ton.",
    notAllowed: "Der Browser lässt diese Seite die Quelle nicht verwenden. In den Einstellungen der Seite lässt es sich erlauben.",
    notFound: "Dieses Mikrofon gibt es nicht.", notReadable: "Ein anderes Programm verwendet das Mikrofon.",
    refused: "Der Server weist diese Seite ab: {message}", unreachable: "Der Server ist nicht erreichbar.",
  },
  fr: {
    views: "Vues", captions: "Sous-titres", recording: "Enregistrement", speak: "Lecture", talk: "Conversation", interfaceLanguage: "Langue de cette page",
    start: "Démarrer", stop: "Arrêter", source: "Source", language: "Langue parlée", detect: "détecter", translate: "En anglais",
    keyterms: "Noms et mots attendus", keytermsExample: "séparés par des virgules", level: "Niveau d’entrée", microphone: "Micro", display: "Un onglet ou un appel",
    confidence: "Marquer les mots incertains", times: "Temps", large: "Grands caractères (Échap)", overlay: "Incrustation pour OBS", copy: "Copier", copied: "Copié",
    choose: "Fichier", cancel: "Annuler", progress: "Progression", text: "Texte", speakNow: "Lire", voice: "Voix", defaultVoice: "par défaut", speed: "Vitesse",
    firstAudio: "premier son après {ms} ms", startTalking: "Parler", instructions: "Consignes", events: "Derniers événements du serveur",
    captionsHint: "Appuyez sur Démarrer et parlez. Les mots gris peuvent encore changer.",
    recordingHint: "Déposez un enregistrement sur cette page, collez-le ou choisissez-le. Cliquez sur un mot pour l’entendre.",
    talkHint: "Commencez, autorisez le micro et dites quelque chose. Parlez pour interrompre la réponse.",
    keyNeeded: "Ce serveur exige une clé d’API. Elle est échangée contre une clé qui expire et n’est pas conservée.", key: "Clé d’API", useKey: "Utiliser",
    connecting: "connexion", open: "connecté", lost: "connexion perdue, nouvel essai", closed: "non connecté", lag: "{s} s de retard",
    ended: "La source est terminée.", noWords: "Aucun mot n’a été reconnu dans cet enregistrement.",
    noMicrophone: "Les navigateurs ne donnent le micro qu’aux pages de cette machine ou servies en HTTPS.",
    noSound: "Ce qui est partagé n’a pas de son. Partagez un onglet avec son audio. Firefox et Safari ne partagent pas le son.",
    notAllowed: "Le navigateur n’autorise pas cette page à utiliser la source. Autorisez-la dans les réglages de la page.",
    notFound: "Ce micro n’existe pas.", notReadable: "Le micro est utilisé par un autre programme.",
    refused: "Le serveur refuse cette page : {message}", unreachable: "Le serveur est injoignable.",
  },
  es: {
    views: "Vistas", captions: "Subtítulos", recording: "Grabación", speak: "Leer", talk: "Conversación", interfaceLanguage: "Idioma de esta página",
    start: "Empezar", stop: "Parar", source: "Fuente", language: "Idioma hablado", detect: "detectar", translate: "Al inglés",
    keyterms: "Nombres y palabras esperados", keytermsExample: "separados por comas", level: "Nivel de entrada", microphone: "Micrófono", display: "Una pestaña o una llamada",
    confidence: "Marcar palabras dudosas", times: "Tiempos", large: "Letra grande (Esc)", overlay: "Superposición para OBS", copy: "Copiar", copied: "Copiado",
    choose: "Archivo", cancel: "Cancelar", progress: "Progreso", text: "Texto", speakNow: "Leer", voice: "Voz", defaultVoice: "predeterminada", speed: "Velocidad",
    firstAudio: "primer sonido a los {ms} ms", startTalking: "Hablar", instructions: "Instrucciones", events: "Últimos eventos del servidor",
    captionsHint: "Pulse Empezar y hable. Las palabras grises aún pueden cambiar.",
    recordingHint: "Suelte una grabación en esta página, péguela o elíjala. Haga clic en una palabra para oírla.",
    talkHint: "Empiece, permita el micrófono y diga algo. Hable para interrumpir la respuesta.",
    keyNeeded: "Este servidor exige una clave de API. Se cambia por una que caduca y no se guarda.", key: "Clave de API", useKey: "Usar",
    connecting: "conectando", open: "conectado", lost: "conexión perdida, nuevo intento", closed: "sin conexión", lag: "{s} s de retraso",
    ended: "La fuente ha terminado.", noWords: "No se ha reconocido ninguna palabra en esta grabación.",
    noMicrophone: "Los navegadores solo dan el micrófono a páginas de este equipo o por HTTPS.",
    noSound: "Lo que se comparte no tiene sonido. Comparta una pestaña con su audio. Firefox y Safari no comparten sonido.",
    notAllowed: "El navegador no permite a esta página usar la fuente. Permítalo en los ajustes de la página.",
    notFound: "Ese micrófono no existe.", notReadable: "Otro programa está usando el micrófono.",
    refused: "El servidor rechaza esta página: {message}", unreachable: "No se puede conectar con el servidor.",
  },
  zh: {
    views: "视图", captions: "字幕", recording: "录音", speak: "朗读", talk: "对话", interfaceLanguage: "页面语言",
    start: "开始", stop: "停止", source: "来源", language: "所说语言", detect: "自动检测", translate: "译成英语",
    keyterms: "可能出现的名称和词语", keytermsExample: "用逗号分隔", level: "输入音量", microphone: "麦克风", display: "标签页或通话",
    confidence: "标出不确定的词", times: "时间", large: "大字显示（Esc）", overlay: "OBS 叠加层", copy: "复制", copied: "已复制",
    choose: "文件", cancel: "取消", progress: "进度", text: "文本", speakNow: "朗读", voice: "声音", defaultVoice: "默认", speed: "语速",
    firstAudio: "{ms} 毫秒后开始出声", startTalking: "开始对话", instructions: "指示", events: "服务器最近的事件",
    captionsHint: "按“开始”后说话。灰色的词还可能改变。",
    recordingHint: "把录音拖到本页，或粘贴、选择文件。点击词语即可收听。",
    talkHint: "按“开始对话”，允许使用麦克风后说话。说话即可打断回答。",
    keyNeeded: "此服务器需要 API 密钥。密钥会换成限时密钥，不会保存。", key: "API 密钥", useKey: "使用",
    connecting: "正在连接", open: "已连接", lost: "连接中断，正在重试", closed: "未连接", lag: "延迟 {s} 秒",
    ended: "来源已结束。", noWords: "未在录音中识别出词语。",
    noMicrophone: "浏览器只允许本机页面或 HTTPS 页面使用麦克风。",
    noSound: "共享的内容没有声音。请共享标签页并同时共享其声音。Firefox 和 Safari 不共享声音。",
    notAllowed: "浏览器不允许此页面使用该来源。请在页面设置中允许。",
    notFound: "没有这个麦克风。", notReadable: "麦克风正被其他程序使用。",
    refused: "服务器拒绝了此页面：{message}", unreachable: "无法连接服务器。",
  },
};

export const LOCALES = Object.keys(TEXTS);

const STORED = "vivavoce.locale";
let locale = [localStorage.getItem(STORED), ...navigator.languages.map((tag) => tag.slice(0, 2))].find((tag) => tag in TEXTS) ?? "en";

export const currentLocale = () => locale;

/** Return a text in the language of the page, with its blanks filled in. */
export function text(name, blanks = {}) {
  return TEXTS[locale][name].replace(/\{(\w+)\}/g, (_, blank) => blanks[blank]);
}

/** Return the name of a language by its code. */
export function languageName(code) {
  try {
    return new Intl.DisplayNames([locale], { type: "language" }).of(code) ?? code;
  } catch {
    return code;
  }
}

/** Write all texts of the document in `chosen`, or in the language of the browser. */
export function translatePage(chosen = locale) {
  if (chosen !== locale) localStorage.setItem(STORED, chosen);
  locale = chosen;
  document.documentElement.lang = chosen;
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = text(element.dataset.text);
  for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", text(element.dataset.label));
  for (const element of document.querySelectorAll("[data-placeholder]")) element.placeholder = text(element.dataset.placeholder);
}

/** Give an element a text that follows the language of the page. */
export function setText(element, name) {
  element.dataset.text = name;
  element.textContent = text(name);
}
