// What the page says, in the languages it speaks.

export const LOCALES = ["en", "de", "fr", "es", "zh"];

/** Every text in each of `LOCALES`. */
export const TEXTS = {
  views: ["Views", "Ansichten", "Vues", "Vistas", "视图"],
  captions: ["Captions", "Untertitel", "Sous-titres", "Subtítulos", "字幕"],
  recording: ["Recording", "Aufnahme", "Enregistrement", "Grabación", "录音"],
  speak: ["Speak", "Sprechen", "Lecture", "Leer", "朗读"],
  talk: ["Talk", "Gespräch", "Conversation", "Conversación", "对话"],
  interfaceLanguage: ["Language of this page", "Sprache dieser Seite", "Langue de cette page", "Idioma de esta página", "页面语言"],
  start: ["Start", "Start", "Démarrer", "Empezar", "开始"],
  stop: ["Stop", "Stopp", "Arrêter", "Parar", "停止"],
  source: ["Source", "Quelle", "Source", "Fuente", "来源"],
  language: ["Spoken language", "Gesprochene Sprache", "Langue parlée", "Idioma hablado", "所说语言"],
  detect: ["detect", "erkennen", "détecter", "detectar", "自动检测"],
  translate: ["Into English", "Ins Englische", "En anglais", "Al inglés", "译成英语"],
  keyterms: ["Names and words to expect", "Erwartete Namen und Wörter", "Noms et mots attendus", "Nombres y palabras esperados", "可能出现的名称和词语"],
  keytermsExample: ["separated by commas", "durch Kommas getrennt", "séparés par des virgules", "separados por comas", "用逗号分隔"],
  level: ["Input level", "Eingangspegel", "Niveau d’entrée", "Nivel de entrada", "输入音量"],
  microphone: ["Microphone", "Mikrofon", "Micro", "Micrófono", "麦克风"],
  display: ["A tab or a call", "Ein Tab oder ein Anruf", "Un onglet ou un appel", "Una pestaña o una llamada", "标签页或通话"],
  confidence: ["Mark unsure words", "Unsichere Wörter markieren", "Marquer les mots incertains", "Marcar palabras dudosas", "标出不确定的词"],
  times: ["Times", "Zeiten", "Temps", "Tiempos", "时间"],
  large: ["Large type (Esc)", "Große Schrift (Esc)", "Grands caractères (Échap)", "Letra grande (Esc)", "大字显示（Esc）"],
  overlay: ["Overlay for OBS", "Einblendung für OBS", "Incrustation pour OBS", "Superposición para OBS", "OBS 叠加层"],
  copy: ["Copy", "Kopieren", "Copier", "Copiar", "复制"],
  copied: ["Copied", "Kopiert", "Copié", "Copiado", "已复制"],
  choose: ["File", "Datei", "Fichier", "Archivo", "文件"],
  cancel: ["Cancel", "Abbrechen", "Annuler", "Cancelar", "取消"],
  progress: ["Progress", "Fortschritt", "Progression", "Progreso", "进度"],
  text: ["Text", "Text", "Texte", "Texto", "文本"],
  speakNow: ["Speak", "Sprechen", "Lire", "Leer", "朗读"],
  voice: ["Voice", "Stimme", "Voix", "Voz", "声音"],
  defaultVoice: ["default", "Standard", "par défaut", "predeterminada", "默认"],
  speed: ["Speed", "Tempo", "Vitesse", "Velocidad", "语速"],
  firstAudio: ["first audio after {ms} ms", "erster Ton nach {ms} ms", "premier son après {ms} ms", "primer sonido a los {ms} ms", "{ms} 毫秒后开始出声"],
  startTalking: ["Start talking", "Gespräch beginnen", "Parler", "Hablar", "开始对话"],
  instructions: ["Instructions", "Anweisungen", "Consignes", "Instrucciones", "指示"],
  events: [
    "Last events of the server",
    "Letzte Ereignisse des Servers",
    "Derniers événements du serveur",
    "Últimos eventos del servidor",
    "服务器最近的事件",
  ],
  captionsHint: [
    "Press Start and speak. Grey words may still change.",
    "Auf Start drücken und sprechen. Graue Wörter können sich noch ändern.",
    "Appuyez sur Démarrer et parlez. Les mots gris peuvent encore changer.",
    "Pulse Empezar y hable. Las palabras grises aún pueden cambiar.",
    "按“开始”后说话。灰色的词还可能改变。",
  ],
  recordingHint: [
    "Drop a recording anywhere on this page, or paste or choose one. Click a word to hear it.",
    "Eine Aufnahme auf diese Seite ziehen, einfügen oder auswählen. Ein Klick auf ein Wort spielt es ab.",
    "Déposez un enregistrement sur cette page, collez-le ou choisissez-le. Cliquez sur un mot pour l’entendre.",
    "Suelte una grabación en esta página, péguela o elíjala. Haga clic en una palabra para oírla.",
    "把录音拖到本页，或粘贴、选择文件。点击词语即可收听。",
  ],
  talkHint: [
    "Press Start talking, allow the microphone and say something. Speak to interrupt the answer.",
    "Auf Gespräch beginnen drücken, das Mikrofon erlauben und etwas sagen. Wer spricht, unterbricht die Antwort.",
    "Appuyez sur Parler, autorisez le micro et dites quelque chose. Parlez pour interrompre la réponse.",
    "Pulse Hablar, permita el micrófono y diga algo. Hable para interrumpir la respuesta.",
    "按“开始对话”，允许使用麦克风后说话。说话即可打断回答。",
  ],
  keyNeeded: [
    "This server needs an API key. It is exchanged for one that expires, and not stored.",
    "Dieser Server verlangt einen API-Schlüssel. Er wird gegen einen getauscht, der abläuft, und nicht gespeichert.",
    "Ce serveur exige une clé d’API. Elle est échangée contre une clé qui expire et n’est pas conservée.",
    "Este servidor exige una clave de API. Se cambia por una que caduca y no se guarda.",
    "此服务器需要 API 密钥。密钥会换成限时密钥，不会保存。",
  ],
  key: ["API key", "API-Schlüssel", "Clé d’API", "Clave de API", "API 密钥"],
  useKey: ["Use key", "Verwenden", "Utiliser", "Usar", "使用"],
  connecting: ["connecting", "verbindet", "connexion", "conectando", "正在连接"],
  open: ["connected", "verbunden", "connecté", "conectado", "已连接"],
  lost: [
    "connection lost, trying again",
    "Verbindung verloren, neuer Versuch",
    "connexion perdue, nouvel essai",
    "conexión perdida, nuevo intento",
    "连接中断，正在重试",
  ],
  closed: ["not connected", "nicht verbunden", "non connecté", "sin conexión", "未连接"],
  lag: ["{s} s behind", "{s} s Rückstand", "{s} s de retard", "{s} s de retraso", "延迟 {s} 秒"],
  ended: ["The source has ended.", "Die Quelle ist zu Ende.", "La source est terminée.", "La fuente ha terminado.", "来源已结束。"],
  noWords: [
    "No words were recognized in this recording.",
    "In dieser Aufnahme wurden keine Wörter erkannt.",
    "Aucun mot n’a été reconnu dans cet enregistrement.",
    "No se ha reconocido ninguna palabra en esta grabación.",
    "未在录音中识别出词语。",
  ],
  noMicrophone: [
    "Browsers give the microphone only to pages from this machine or over HTTPS.",
    "Browser geben das Mikrofon nur Seiten von diesem Rechner oder über HTTPS.",
    "Les navigateurs ne donnent le micro qu’aux pages de cette machine ou servies en HTTPS.",
    "Los navegadores solo dan el micrófono a páginas de este equipo o por HTTPS.",
    "浏览器只允许本机页面或 HTTPS 页面使用麦克风。",
  ],
  noSound: [
    "What was shared has no sound. Share a tab, and its sound with it. Firefox and Safari share no sound.",
    "Was geteilt wurde, hat keinen Ton. Bitte einen Tab samt Ton teilen. Firefox und Safari teilen keinen Ton.",
    "Ce qui est partagé n’a pas de son. Partagez un onglet avec son audio. Firefox et Safari ne partagent pas le son.",
    "Lo que se comparte no tiene sonido. Comparta una pestaña con su audio. Firefox y Safari no comparten sonido.",
    "共享的内容没有声音。请共享标签页并同时共享其声音。Firefox 和 Safari 不共享声音。",
  ],
  notAllowed: [
    "The browser does not let this page use the source. Allow it in the settings of the page.",
    "Der Browser lässt diese Seite die Quelle nicht verwenden. In den Einstellungen der Seite lässt es sich erlauben.",
    "Le navigateur n’autorise pas cette page à utiliser la source. Autorisez-la dans les réglages de la page.",
    "El navegador no permite a esta página usar la fuente. Permítalo en los ajustes de la página.",
    "浏览器不允许此页面使用该来源。请在页面设置中允许。",
  ],
  notFound: ["There is no such microphone.", "Dieses Mikrofon gibt es nicht.", "Ce micro n’existe pas.", "Ese micrófono no existe.", "没有这个麦克风。"],
  notReadable: [
    "The microphone is in use by another program.",
    "Ein anderes Programm verwendet das Mikrofon.",
    "Le micro est utilisé par un autre programme.",
    "Otro programa está usando el micrófono.",
    "麦克风正被其他程序使用。",
  ],
  refused: [
    "The server refuses this page: {message}",
    "Der Server weist diese Seite ab: {message}",
    "Le serveur refuse cette page : {message}",
    "El servidor rechaza esta página: {message}",
    "服务器拒绝了此页面：{message}",
  ],
  unreachable: [
    "The server cannot be reached.",
    "Der Server ist nicht erreichbar.",
    "Le serveur est injoignable.",
    "No se puede conectar con el servidor.",
    "无法连接服务器。",
  ],
  full: [
    "The server opens no session now: it is probably full. Try again in a moment.",
    "Der Server öffnet gerade keine Sitzung, wahrscheinlich ist er ausgelastet. Bitte gleich noch einmal versuchen.",
    "Le serveur n’ouvre pas de session pour le moment : il est sans doute complet. Réessayez dans un instant.",
    "El servidor no abre ninguna sesión ahora: probablemente está completo. Vuelva a intentarlo en un momento.",
    "服务器目前不开启会话，可能已满。请稍后再试。",
  ],
  notReady: [
    "The server is starting or stopping. Try again in a moment.",
    "Der Server startet oder endet gerade. Bitte gleich noch einmal versuchen.",
    "Le serveur démarre ou s’arrête. Réessayez dans un instant.",
    "El servidor se está iniciando o deteniendo. Vuelva a intentarlo en un momento.",
    "服务器正在启动或停止。请稍后再试。",
  ],
  busy: [
    "The server cannot take this now. Try again in a moment.",
    "Der Server kann das gerade nicht annehmen. Bitte gleich noch einmal versuchen.",
    "Le serveur ne peut pas l’accepter pour le moment. Réessayez dans un instant.",
    "El servidor no puede aceptarlo ahora. Vuelva a intentarlo en un momento.",
    "服务器暂时无法处理。请稍后再试。",
  ],
  failed: [
    "Something failed in the server. Its log has details.",
    "Im Server ist ein Fehler aufgetreten. Einzelheiten stehen in seinem Protokoll.",
    "Une erreur s’est produite dans le serveur. Son journal en donne les détails.",
    "Se ha producido un error en el servidor. Su registro contiene los detalles.",
    "服务器出错。详情见服务器日志。",
  ],
  connectionLost: [
    "The connection was lost.",
    "Die Verbindung ist abgebrochen.",
    "La connexion a été perdue.",
    "Se ha perdido la conexión.",
    "连接已中断。",
  ],
  nothingToSpeak: [
    "Enter a text with a letter or a digit.",
    "Bitte einen Text mit einem Buchstaben oder einer Ziffer eingeben.",
    "Entrez un texte avec une lettre ou un chiffre.",
    "Escriba un texto con una letra o una cifra.",
    "请输入含有文字或数字的文本。",
  ],
  notAudio: [
    "This is not a recording in a format that the server can read.",
    "Das ist keine Aufnahme in einem Format, das der Server lesen kann.",
    "Ce n’est pas un enregistrement dans un format que le serveur sait lire.",
    "No es una grabación en un formato que el servidor pueda leer.",
    "这不是服务器能读取的录音格式。",
  ],
  emptyFile: ["The file is empty.", "Die Datei ist leer.", "Le fichier est vide.", "El archivo está vacío.", "文件为空。"],
  noAudio: ["The file has no sound.", "Die Datei hat keinen Ton.", "Le fichier n’a pas de son.", "El archivo no tiene sonido.", "文件没有声音。"],
  tooShort: [
    "The recording is too short.",
    "Die Aufnahme ist zu kurz.",
    "L’enregistrement est trop court.",
    "La grabación es demasiado corta.",
    "录音太短。",
  ],
  tooLong: [
    "The recording is longer than this server allows.",
    "Die Aufnahme ist länger, als dieser Server erlaubt.",
    "L’enregistrement est plus long que ce serveur ne l’autorise.",
    "La grabación es más larga de lo que permite este servidor.",
    "录音超过此服务器允许的时长。",
  ],
  tooLarge: [
    "This is larger than this server allows.",
    "Das ist größer, als dieser Server erlaubt.",
    "C’est plus grand que ce serveur ne l’autorise.",
    "Es más grande de lo que permite este servidor.",
    "大小超过此服务器的限制。",
  ],
  uploadSlow: [
    "The upload took too long.",
    "Das Hochladen hat zu lange gedauert.",
    "L’envoi a pris trop de temps.",
    "El envío ha tardado demasiado.",
    "上传耗时过长。",
  ],
  noModel: [
    "The server does not have this model, or cannot run it.",
    "Der Server hat dieses Modell nicht oder kann es nicht ausführen.",
    "Le serveur n’a pas ce modèle ou ne peut pas l’exécuter.",
    "El servidor no tiene este modelo o no puede ejecutarlo.",
    "服务器没有这个模型，或无法运行它。",
  ],
  modelCannot: [
    "The model of the server cannot do this.",
    "Das Modell des Servers kann das nicht.",
    "Le modèle du serveur ne sait pas le faire.",
    "El modelo del servidor no puede hacerlo.",
    "服务器的模型不支持此操作。",
  ],
  noVoice: [
    "The server does not have this voice.",
    "Der Server hat diese Stimme nicht.",
    "Le serveur n’a pas cette voix.",
    "El servidor no tiene esta voz.",
    "服务器没有这个声音。",
  ],
  unspoken: [
    "The voice does not speak the language of this text. Choose another one.",
    "Die Stimme spricht die Sprache dieses Textes nicht. Bitte eine andere wählen.",
    "La voix ne parle pas la langue de ce texte. Choisissez-en une autre.",
    "La voz no habla el idioma de este texto. Elija otra.",
    "该声音不会说这段文本的语言。请选择其他声音。",
  ],
  wrongKey: [
    "Incorrect API key provided.",
    "Der API-Schlüssel ist falsch.",
    "La clé d’API est incorrecte.",
    "La clave de API no es correcta.",
    "API 密钥不正确。",
  ],
  noChat: [
    "This server has no chat model that could answer.",
    "Dieser Server hat kein Chatmodell, das antworten könnte.",
    "Ce serveur n’a pas de modèle de conversation pour répondre.",
    "Este servidor no tiene un modelo de chat que pueda responder.",
    "此服务器没有可以回答的聊天模型。",
  ],
  chatFailed: [
    "The chat model of the server did not answer.",
    "Das Chatmodell des Servers hat nicht geantwortet.",
    "Le modèle de conversation du serveur n’a pas répondu.",
    "El modelo de chat del servidor no ha respondido.",
    "服务器的聊天模型没有回答。",
  ],
};

const STORED = "vivavoce.locale";
let locale = [localStorage.getItem(STORED), ...navigator.languages.map((tag) => tag.slice(0, 2))].find((tag) => LOCALES.includes(tag)) ?? "en";

export const currentLocale = () => locale;

/** Return a text in the language of the page, with its blanks filled in. */
export function text(name, blanks = {}) {
  return TEXTS[name][LOCALES.indexOf(locale)].replace(/\{(\w+)\}/g, (_, blank) => blanks[blank]);
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
