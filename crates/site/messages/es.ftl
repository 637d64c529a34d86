# Palabras de las páginas y de los formularios. Texto simple: las marcas se muestran, no se interpretan.

language-name = Español
language-choice = Idioma
skip-to-content = Ir al contenido
drill-banner = Simulacro: estas cifras son un ensayo, no el resultado de una elección.

## Where the reader is
nav-home = Todas las contiendas
nav-contest = Contienda
nav-stations = Mesas
poll-day = Votación del { $date }
figures-source = Origen de las cifras: { $source }
log-state = Con { $size } entradas del registro
log-open = El registro no está terminado: puede seguir más.
log-finished = El registro está terminado: nada sigue.
log-cosigned = Testigos que refrendaron sus primeras { $size } entradas: { $names }.
contests-heading = Contiendas
open-contest = Resultados y mesas

## The four questions
question-in = ¿Cuánto ha llegado?
question-sum = ¿Cuánto suma?
question-order = ¿Puede cambiar aún el orden?
question-check = ¿Cómo lo compruebo yo?

in-headline = { $held ->
    [one] { $counted } de { $held } mesa contada
   *[other] { $counted } de { $held } mesas contadas
}
in-rejected = { $n ->
    [one] Una regla rechazó { $n } acta: está en el registro y en ningún total.
   *[other] Una regla rechazó { $n } actas: están en el registro y en ningún total.
}
in-none-rejected = No se rechazó ninguna acta.

status-counted = Contada
status-quarantined = En cuarentena
status-missing = Faltante
status-counted-means = en los totales
status-quarantined-means = registrada, pero una regla pide aclaración; fuera de los totales
status-missing-means = aún sin un acta que pueda valer; nunca se toma como cero

sum-headline = { $n ->
    [one] { $n } voto válido contado
   *[other] { $n } votos válidos contados
}
sum-legend = Lleno: contado. Claro: lo máximo que aún podrían añadir las mesas no contadas. Línea: donde terminan los votos contados del primer lugar.
sum-legend-unknown = Lleno: contado. Lo máximo que aún podría añadirse no se dibuja porque no se conoce.
sum-more = { $n ->
    [one] { $n } candidatura más está en la tabla de abajo.
   *[other] { $n } candidaturas más están en la tabla de abajo.
}
share-rule = Los porcentajes son de los votos válidos contados, redondeados al 0,01 % (la mitad, hacia arriba); no tienen por qué sumar 100 %.

premises = Premisas
limits = Lo que esto no muestra
limit-order = Las mesas no informan en un orden aleatorio: de las cifras parciales no se sigue ninguna probabilidad.
limit-counting = Aquí se puede comprobar la suma. No se puede comprobar si las mesas contaron bien las papeletas.
limit-fraud = Una cifra inusual nunca prueba una irregularidad, y no hallar ninguna nunca prueba la exactitud.

check-intro = Esta página es parte de una carpeta que contiene todas las actas en que se basa. Copie la carpeta y ejecute:
check-does = La orden rehace las firmas, el registro, las reglas y las sumas, y enumera todo lo que no se cumple.
check-trust = Tome el resumen de la definición y la clave del registro para el archivo de confianza de fuera de esta carpeta: un periódico, un partido, papel. Sin ellos, solo se muestra que la carpeta concuerda consigo misma.
check-compare = Compare con una copia de otra procedencia
fact-definition = Resumen de la definición
fact-origin = Registro
fact-key = Clave del registro
fact-size = Entradas
fact-root = Raíz de Merkle

## Tables
candidates-heading = Candidaturas
lines-heading = Opciones de la papeleta
lines-note = Lo que marcó el electorado. Los votos de una candidatura son la suma de las opciones que la nombran.
parties-heading = Partidos
parties-note = Los votos de un partido son la suma de sus opciones en la papeleta.
figures-heading = Otras cifras
figures-note = Cada una es la suma de las actas contadas que la indican. Una cifra que un acta no indica no es cero.
figures-roll = Las mesas contadas tienen { $counted } electores en sus padrones, de { $all } en la lista de mesas.
figures-roll-unknown = { $n ->
    [one] La lista no da el padrón de { $n } mesa; no está en ninguna de las dos cifras.
   *[other] La lista no da el padrón de { $n } mesas; no están en ninguna de las dos cifras.
}
areas-heading = Por zona
areas-note = Cada mesa es un cuadro. Las tablas de abajo contienen las mismas cifras.
area-direct = Fuera de una zona menor
stations-heading = Mesas
stations-note = Mesas que votan en esta contienda, con sus entradas del registro y las reglas que sus actas incumplen.
stations-all = Todas las mesas y sus actas
stations-range = Mesas { $from } a { $to } de { $n }
none-here = Ninguna.
data-heading = Datos
data-stations = Estado de cada mesa (CSV)
data-totals = Totales (JSON)
data-register = Lista de mesas (CSV)
data-ballot = Opciones de la papeleta (CSV)
data-checkpoint = Punto de control del registro

column-candidate = Candidatura
column-line = Opción
column-party = Partido
column-votes = Votos
column-share = Porcentaje
column-area = Zona
column-held = Mesas
column-counted = Contadas
column-quarantined = En cuarentena
column-missing = Faltantes
column-others = Otras
column-figure = Cifra
column-sum = Suma
column-stated = Actas que la indican
column-number = Número
column-station = Mesa
column-rules = Reglas
column-entries = Entradas del registro

## Correcciones y refrendos
stands-heading = Según el cómputo y según lo vigente
stands-note = Según el cómputo son las cifras de las actas de las propias mesas. Según lo vigente pone en su lugar las cifras de las correcciones en vigor. Nada más difiere.
stands-notice = { $n ->
    [one] Estas cifras son según el cómputo. Hay { $n } corrección en vigor; lo vigente se muestra al lado, más abajo.
   *[other] Estas cifras son según el cómputo. Hay { $n } correcciones en vigor; lo vigente se muestra al lado, más abajo.
}
column-as-counted = Según el cómputo
column-as-it-stands = Según lo vigente
column-difference = Diferencia
stands-stations = Mesas contadas
corrections-heading = Correcciones
corrections-note = Cada una está firmada por tantos miembros de la autoridad electoral como pide la definición. La que fue reemplazada por otra posterior sigue en la lista. El efecto es lo que cambió frente a lo que valía antes.
column-stage = Etapa
column-effect = Efecto
column-signed = Firmada por
stage-canvass = Escrutinio definitivo
stage-ruling = Resolución
stage-rerun = Votación repetida
correction-replaced = reemplazada por una corrección posterior
correction-annuls = La votación de la mesa en esta contienda deja de contar.
correction-no-change = No cambian los votos de ninguna candidatura.
correction-counts-station = La mesa no se contaba antes.
correction-uncounts-station = La mesa ya no se cuenta.
endorsed = { $n ->
    [one] { $n } acta está refrendada: un representante, un observador o su propia mesa la ha firmado también.
   *[other] { $n } actas están refrendadas: un representante, un observador o su propia mesa las ha firmado también.
}
station-corrected = corregida, entrada { $entry } del registro
station-annulled = anulada, entrada { $entry } del registro
data-statements = Declaraciones: correcciones, refrendos, claves, políticas (JSON)
correction-re-01 = Una cifra se cargó mal; el acta en papel de la mesa tiene la correcta.
correction-re-02 = El acta en papel de la mesa estaba mal; la autoridad ha establecido las cifras correctas.
correction-re-03 = No llegó ningún acta que pudiera contarse; estas son las cifras del acta en papel.
correction-re-04 = Llegaron actas distintas; valen estas cifras.
correction-re-05 = Una regla mantuvo aparte el acta; sus cifras se examinaron y valen estas.
correction-re-06 = Las papeletas se contaron otra vez.
correction-re-07 = Un tribunal u órgano electoral ha resuelto.
correction-re-08 = La votación de la mesa fue anulada.
correction-re-09 = La votación de la mesa se repitió.
correction-re-10 = Una corrección anterior estaba mal.

## Rules
rules-heading = Las reglas nombradas arriba
rule-remedy = Qué hacer
severity-warn = Aviso: contada, y a la vista
severity-quarantine = Cuarentena: no contada hasta su aclaración
severity-reject = Rechazo: en el registro, nunca contada

## Figures of a record
figure-blank = Votos en blanco
figure-null = Votos nulos
figure-voters = Votantes admitidos
figure-registered = Electores en el padrón
figure-total = Total indicado
figure-valid = Votos válidos
figure-cast = Papeletas emitidas

## The station's form and queue, in the terminal
form-title = Acta de la mesa { $station }, contienda { $contest }
form-count = Votos de { $line }:
form-figure = { $figure } (vacío si el papel no lo dice):
form-sum = Suma hasta aquí: { $n }
form-not-a-count = «{ $input }» no es una cantidad. Escriba un número entero, como 0 o 127.
form-findings = { $n ->
    [one] El acta incumple { $n } regla:
   *[other] El acta incumple { $n } reglas:
}
form-no-findings = El acta no incumple ninguna regla.
form-confirm = ¿Sellar esta acta? Un acta sellada no se puede cambiar. (sí/no)
form-answer-yes = sí
form-answer-no = no
form-sealed = Sellada: { $file }
form-not-sealed = No sellada. No se escribió nada.
receipt-received = Recibo de la mesa { $station }, contienda { $contest }: el centro tiene el acta.
receipt-waiting = Aún sin recibo de la mesa { $station }, contienda { $contest }; nuevo intento en { $seconds } s.
receipt-rejected = El centro rechazó el acta de la mesa { $station }, contienda { $contest }:
queue-empty = Todas las actas selladas tienen su recibo.
queue-waiting = { $n ->
    [one] { $n } acta sellada espera su recibo.
   *[other] { $n } actas selladas esperan su recibo.
}

## The report of a drill
drill-report = Informe del simulacro
drill-seed = Semilla { $seed }
drill-question-in = ¿Cuántas mesas tienen su recibo?
drill-question-holds = ¿Se cumple todo?
drill-question-wait = ¿Cuánto tardó un recibo?
drill-question-against = ¿Qué llegó en contra?
drill-in = { $of ->
    [one] { $have } de { $of } mesa tiene su recibo
   *[other] { $have } de { $of } mesas tienen su recibo
}
drill-in-records = { $of ->
    [one] { $have } de { $of } acta tiene recibo.
   *[other] { $have } de { $of } actas tienen recibo.
}
drill-in-most = 97 de cada 100 actas tenían el suyo { $seconds } s después del cierre de la votación.
drill-holds-all = Todo lo comprobado se cumple
drill-holds-not = { $n ->
    [one] { $n } punto no se cumple
   *[other] { $n } puntos no se cumplen
}
drill-verified = La carpeta que dejó el simulacro se verifica, y ningún recibo nombra un acta que falte en su registro.
drill-not-verified = La carpeta que dejó el simulacro no se verifica.
drill-wait-half = La mitad en { $half } ms, 99 de cada 100 en { $most } ms
drill-wait-none = No llegó ningún recibo
drill-datagrams = Datagramas que las mesas enviaron por cada acta que obtuvo su recibo: { $n }.
drill-against = { $rate ->
    [one] { $rate } datagrama hostil por segundo
   *[other] { $rate } datagramas hostiles por segundo
}
drill-against-more = Se enviaron { $sent } en { $seconds } s. De ellos, { $received } llegaron al puerto del centro, { $rate } por segundo.
drill-against-none = No se envió ningún datagrama hostil
drill-time-heading = Recibos a lo largo del tiempo
drill-time-note = Línea: actas que obtuvieron su recibo, por segundo (escala izquierda). Gris: datagramas hostiles que llegaron al puerto del centro, por segundo (escala derecha). Letras: lo que el simulacro averió a propósito.
drill-receipts-a-second = recibos por segundo
drill-hostile-a-second = hostiles por segundo
drill-axis = segundos desde el comienzo del simulacro
drill-poll-close = cierre de la votación
drill-table = Las mismas cifras en una tabla
drill-fault-killed = el centro, interrumpido y reiniciado
drill-fault-cut = { $path } cortada
drill-fault-loss = { $path } pierde { $share } de cada 100 datagramas
drill-fault-delay = { $path } más lenta en { $ms } ms
drill-moment = { $at } s
drill-span = { $from } a { $to } s
drill-planned-datagrams = { $n } datagramas por segundo
drill-planned-requests = { $n } solicitudes por segundo
drill-planned-connections = { $n } conexiones abiertas a la vez
drill-paths-heading = Recibos por vía
drill-paths-note = Actas cuyo primer recibo llegó por cada vía, en cada segundo. Todas con una misma escala. Franjas: mientras el simulacro averió esa vía.
drill-rejected-heading = Lo que el centro no admitió
drill-rejected-note = En orden de cantidad. Los porcentajes son de todo lo no admitido.
drill-rejected-none = No se dejó de admitir nada.
drill-stations-heading = Mesas con su recibo
drill-stations-note = Cada cuadro es una mesa, en el orden de la lista: lleno con su recibo, vacío sin él. Los mismos cuadros en varios momentos, en segundos desde el comienzo del simulacro.
drill-floods-heading = Tráfico hostil por tipo
drill-floods-none = El guion no envía tráfico hostil.
drill-faults-heading = Lo que el simulacro averió a propósito
drill-latency-heading = La espera del recibo
drill-latency-note = Desde el sellado hasta el primer recibo, por todas las vías y con todos los intentos.
drill-latency-half = La mitad de las actas, como máximo
drill-latency-most = 99 de cada 100 actas, como máximo
drill-latency-longest = La espera más larga
drill-centre-heading = Lo que usó el centro
drill-centre-memory-before = Memoria antes del tráfico hostil
drill-centre-memory-peak = Máximo de memoria durante el simulacro
drill-centre-cpu-before = Tiempo de procesador antes del tráfico hostil
drill-centre-cpu-under = Tiempo de procesador bajo el tráfico hostil
drill-mebibytes = { $n } MiB
drill-cpu = { $used } s en { $of } s
drill-limit-loopback = Las mesas, los emisores hostiles y el centro funcionaron en una sola máquina, por su interfaz local. Una red intermedia tiene su propio límite: aquí no se muestra una línea que se llena antes del centro.
drill-limit-cores = { $n ->
    [one] Todos compartieron { $n } núcleo de procesador: los emisores quitaron al centro un tiempo que emisores de otra parte no podrían quitarle.
   *[other] Todos compartieron { $n } núcleos de procesador: los emisores quitaron al centro un tiempo que emisores de otra parte no podrían quitarle.
}
drill-limit-shared = Todos compartieron los núcleos de procesador de la máquina: los emisores quitaron al centro un tiempo que emisores de otra parte no podrían quitarle.
drill-limit-segmented = Los datagramas hostiles se entregaron al núcleo del sistema en segmentos grandes (UDP GSO), lo que cuesta al emisor menos que uno por uno.
drill-limit-single = Los datagramas hostiles se entregaron al núcleo del sistema uno por uno, sin descarga de segmentación.
drill-limit-script = Este simulacro muestra lo que ocurrió con su propio guion. No dice nada de los ataques que el guion no contiene.
column-second = Segundo
column-moment = Momento
column-receipts = Recibos
column-receipts-so-far = Recibos hasta entonces
column-hostile = Datagramas hostiles recibidos
column-with-receipt = Mesas con su recibo
column-path = Vía
column-kind = Tipo
column-when = Cuándo
column-what = Qué
column-planned = Previsto
column-sent = Enviados
column-reason = Motivo
column-count = Cantidad
column-wait = Milisegundos
column-used = Uso

## Why the centre turns something away, by its word in the centre's metrics
reason-filter = Descartado en el núcleo del sistema por el filtro del puerto: su longitud o sus primeros bytes no son los del datagrama de un acta.
reason-overflow = Perdido porque la memoria de recepción estaba llena, fuera de quien fuera; las mesas reenvían. Cifra aproximada del núcleo del sistema.
reason-short = Más corto que el menor datagrama de un acta.
reason-long = Más largo que cualquier acta.
reason-magic = Sus primeros bytes no son los del datagrama de un acta de esta versión.
reason-station = Nombra una mesa que no está en la lista.
reason-epoch = Hecho con las claves de otra época.
reason-tag = Su etiqueta con clave no se cumple: quien lo hizo no tiene la clave de la mesa para datagramas.
reason-window = Su hora está demasiado lejos del reloj del centro: una grabación antigua, o una mesa con el reloj mal puesto.
reason-replay = Su número de intento no aumenta: el mismo datagrama ya se había entregado.
reason-quota = Más de lo que una mesa puede enviar en ese tiempo.
reason-digest = El cuerpo no es el que nombra la cabecera.
reason-queue-full = La cola para comprobar firmas estaba llena; la mesa reenvía.
reason-too-long = El cuerpo es más largo que cualquier acta, o está cortado.
reason-structure = No es un acta sellada en su única forma canónica.
reason-key = No está firmada con la clave que la lista da para la mesa.
reason-signature = La firma no se cumple.
reason-election = Una declaración de otra elección.
reason-signers = No ha firmado la declaración nadie cuya firma cuente.
reason-known = Todas las firmas de la declaración ya están aquí.
reason-no-effect = Una regla impide que la declaración tenga efecto.
reason-source = El origen de la conexión tenía ya tantas como puede tener uno solo.
reason-full = Todos los lugares para conexiones estaban ocupados.
reason-displaced = La conexión era la que más tiempo ocupaba su lugar y dejó sitio a otra.
reason-handshake = La conexión cifrada no se estableció a tiempo.
reason-headers = Los encabezados de la petición se interrumpieron o no llegaron a tiempo.
reason-body = El cuerpo de la petición se interrumpió o no llegó a tiempo.
reason-length = La longitud del cuerpo no se indicó, o es mayor que la de cualquier acta.
reason-life = La conexión seguía ocupada al final de su tiempo.
reason-busy = El centro no pudo tomar el acta en ese momento; quien la envía reenvía.

## Kinds of hostile traffic, by their word in the script
hostile-garbage = Bytes al azar, de longitud al azar.
hostile-truncated = Datagramas auténticos, recortados.
hostile-oversized = Datagramas más largos que cualquier acta.
hostile-bad-tag = La forma correcta y números de mesa reales, con una etiqueta inventada.
hostile-replay = Datagramas propios de una mesa, capturados y enviados una y otra vez.
hostile-stolen-mac = Hechos con la clave robada de una mesa para datagramas; el acta es falsa.
hostile-stolen-key = Una etiqueta válida sobre un acta que nombra la clave de la mesa con una firma que no se cumple.
hostile-conflict = Una segunda acta, distinta, firmada con las claves de la mesa: ambas se publican y la mesa queda en cuarentena.
hostile-slowloris = Conexiones HTTP que envían su cabecera byte a byte.
hostile-body-drip = Conexiones HTTP que envían su cuerpo byte a byte.
hostile-http-post = Actas falsas por HTTP.

## The page of a witness
witness-title = Testigo
witness-question-holds = ¿Qué guardo?
witness-question-recounted = ¿Qué volví a contar?
witness-question-differs = ¿En qué difiero?
witness-held = { $n ->
    [one] { $n } entrada del registro
   *[other] { $n } entradas del registro
}
witness-cosigned = { $n ->
    [one] Cofirmado con { $n } entrada.
   *[other] Cofirmado con { $n } entradas.
}
witness-cosigned-none = Nada cofirmado todavía.
witness-recounted = { $n ->
    [one] { $n } entrada verificada y contada
   *[other] { $n } entradas verificadas y contadas
}
witness-counts = Mesas, una vez por cada contienda: { $counted } contadas, { $quarantined } en cuarentena, { $missing } faltantes. Actas rechazadas: { $rejected }.
witness-differs-none = Ninguna diferencia encontrada
witness-differs = { $n ->
    [one] { $n } alarma
   *[other] { $n } alarmas
}
witness-same = { $n ->
    [one] Los totales del centro con { $n } entrada son, byte por byte, los contados aquí.
   *[other] Los totales del centro con { $n } entradas son, byte por byte, los contados aquí.
}
witness-not-compared = Los totales del centro no se han comparado aún con este tamaño, o difieren.
witness-trouble = En este momento: { $what }
witness-sums-heading = Sumas contadas aquí
witness-sums-note = { $n ->
    [one] Sobre { $n } entrada de la copia propia de este testigo.
   *[other] Sobre { $n } entradas de la copia propia de este testigo.
}
witness-compare-heading = Para comparar con otros
witness-compare-note = Con un mismo tamaño, todos los testigos y todos los espejos de este registro tienen la misma raíz. Otra raíz con el mismo tamaño, firmada por la clave del registro, prueba dos historias: guarde ambos puntos de control.
witness-limit-copy = Esta página es de un solo testigo. Muestra lo que ese testigo recibió y contó, no lo que se mostró a otros.
witness-limit-paper = No se muestra: que un acta coincida con el papel o las boletas de su mesa.

## Bulletins
bulletin-title = Boletín { $number }
bulletin-official = Cómputo oficial.
bulletin-poll = Votación del { $date }.
bulletin-made = Redactado el { $when } a partir de las primeras { $size } entradas del registro.
bulletin-rests-on = En qué se basa este boletín
bulletin-bound = Cada cifra sale de las primeras { $size } entradas del registro { $origin } y de nada más. La raíz del registro con ese tamaño figura abajo. La fija un punto de control de al menos ese tamaño: está junto a este boletín, firmado con la clave del registro y por los testigos que pide la política del registro.
bulletin-signed = Es un boletín de la autoridad electoral cuando { $threshold } de los { $of } miembros que nombra la definición han firmado el SHA-256 de su documento y el registro contiene sus firmas. Son: { $names }.
bulletin-unsigned = La definición no nombra ninguna autoridad electoral, así que nadie firma este boletín.
bulletin-redo = Quien tenga el paquete puede rehacer cada cifra y comparar este archivo: tallyproof bulletin check FILE BUNDLE.
bulletin-complete = bulletin.json y bulletin.csv contienen todas las cifras de todas las zonas en cada nivel; las listas de las mesas contadas, que aquí se omiten, están en ellos.
bulletin-compact = Este boletín tiene más de { $n } contiendas: las opciones de la papeleta, los partidos y las zonas menores quedan para bulletin.json y bulletin.csv.
bulletin-rounding = Un porcentaje es 100 veces la parte dividida por el todo, ambos recuentos exactos, redondeado a dos decimales (la mitad, hacia arriba); ninguno se calcula a partir de cifras redondeadas. Los de candidaturas, opciones y partidos son de todos los votos válidos y no tienen por qué sumar 100.
bulletin-fact-document = SHA-256 del documento (bulletin.json)
bulletin-fact-totals = SHA-256 de los totales
bulletin-fact-member = Clave de { $name }
limit-change = Un boletín cuenta un estado. Las actas y correcciones posteriores cambian las cifras; las cuenta un boletín posterior.
bulletin-overview = Todas las contiendas
bulletin-parts = Actas rechazadas: { $rejected }.
bulletin-roll-share = Es el { $share } de la lista.
bulletin-corrected = { $n ->
    [one] Según lo vigente, las cifras de { $n } mesa son las de una corrección
   *[other] Según lo vigente, las cifras de { $n } mesas son las de una corrección
}; votaciones anuladas: { $annulled }.
bulletin-figures-note = Cada una es la suma de las actas contadas que la indican; la que un acta no indica no es cero. Se da un porcentaje donde todas las actas contadas indican la cifra: en blanco y nulos son de los votos válidos, en blanco y nulos juntos; los votantes admitidos son de los electores en los padrones de las mesas contadas.
bulletin-more-areas = { $n ->
    [one] { $n } zona más está en bulletin.csv.
   *[other] { $n } zonas más están en bulletin.csv.
}
bulletin-areas-as-counted = Estas cifras son según el cómputo; según lo vigente están en bulletin.csv.
bulletin-quarantined = { $n ->
    [one] { $n } mesa en cuarentena, con las reglas que sus actas no cumplen
   *[other] { $n } mesas en cuarentena, con las reglas que sus actas no cumplen
}
bulletin-rejected = { $n ->
    [one] { $n } acta rechazada: mesa, reglas que no cumple, entrada del registro
   *[other] { $n } actas rechazadas: mesa, reglas que no cumplen, entrada del registro
}
bulletin-corrected-stations = { $n ->
    [one] { $n } mesa con una corrección en vigor: motivo, entrada del registro
   *[other] { $n } mesas con una corrección en vigor: motivo, entrada del registro
}
bulletin-missing = { $n ->
    [one] { $n } mesa faltante
   *[other] { $n } mesas faltantes
}
bulletin-more-stations = { $n ->
    [one] { $n } más está en bulletin.json.
   *[other] { $n } más están en bulletin.json.
}
bulletin-page = Página { $page } de { $pages }
bulletin-forms = Este boletín en otras formas
bulletin-pdf-english = PDF en inglés
bulletin-pdf-spanish = PDF en español
bulletin-pdf-portuguese = PDF en portugués
bulletin-json = El documento (JSON), que es lo que se firma
bulletin-csv = Todas las cifras (CSV)
bulletins-heading = Boletines
bulletins-note = Cada uno está ligado a un estado del registro y firmado por la autoridad electoral.
column-contest = Contienda
column-rejected = Actas rechazadas
column-register = Parte de la lista
column-list = Lista
column-seats = Escaños
column-seats-least = Al menos
column-seats-most = Como máximo
column-threshold = Umbral
column-bulletin = Boletín
column-made = Redactado
column-log-size = Entradas del registro
column-forms = Formas
bulletin-html = Página
seats-heading = Escaños, según lo vigente
seats-admitted = alcanzado
seats-below-threshold = no alcanzado
column-by-name = Por nombre
seats-none = Los escaños no se pueden asignar con estas cifras; bulletin.json tiene la razón.
seats-first = { $seats } escaños van a los primeros por votos. Según lo vigente: { $names }.
seats-method = { $seats } escaños, método { $method }.
seats-star = * cubierto por nombre
seats-nominal-open = { $n ->
    [one] { $n } escaño por nombre está abierto o sin votos: no lo tiene ninguna lista.
   *[other] { $n } escaños por nombre están abiertos o sin votos: no los tiene ninguna lista.
}
seats-quota = Votos que corresponden a un escaño: { $quota }.
seats-unfilled = { $n ->
    [one] { $n } escaño queda sin cubrir: ninguna lista tiene votos para él.
   *[other] { $n } escaños quedan sin cubrir: ninguna lista tiene votos para ellos.
}
seats-open = { $n ->
    [one] { $n } escaño queda abierto: cocientes iguales, y ninguna regla declarada decide entre { $among }.
   *[other] { $n } escaños quedan abiertos: cocientes iguales, y ninguna regla declarada decide entre { $among }.
}
seats-by-more-votes = Cocientes iguales de { $among }: decidieron más votos.
seats-by-lot = Cocientes iguales de { $among }: decidió el sorteo publicado.
seats-order = Cada escaño en el orden de su cociente: número, lista, cociente (cuatro decimales, hacia abajo; deciden los cocientes exactos, que están en bulletin.json).
settled-heading = Qué puede cambiar aún, según lo vigente
settled-sentence = { $bound }; { $margin }; { $verdict }.
settled-bound = Las actas no incluidas pueden contener como máximo { $most } votos
settled-unbounded = Nada limita los votos de las actas no incluidas
settled-difference = la diferencia es de { $n }
settled-takes = hacen falta { $n } votos para cambiar el resultado
settled-nothing = ninguna cantidad de votos cambia el resultado
settled-order-can = el orden puede cambiar
settled-order-cannot = el orden no puede cambiar
settled-outcome-can = el resultado puede cambiar
settled-outcome-cannot = el resultado no puede cambiar
settled-nearest = De todas las partes, { $part } es la más cercana a un cambio. { $sentence }
settled-none = No se dice nada sobre lo que puede cambiar aún; bulletin.json tiene la razón ({ $code }).
settled-common-heading = En qué se basa cada afirmación sobre cambios
settled-common = Para cada contienda este boletín dice qué puede cambiar aún. Cada una de esas afirmaciones vale si vale todo esto, y lo que figura junto a ella:
settled-if-too = Esto vale si vale todo aquello en que se basa cada afirmación (primera página), y si:
settled-if = Esto vale si:
settled-limit = La afirmación trata de estas cifras: no muestra que sean correctas. No da ninguna probabilidad, porque el orden en que llegan las actas no es aleatorio.
settled-fewest = { $n ->
    [one] Las menos mesas pendientes que podrían cambiarlo: esta.
   *[other] Las menos mesas pendientes que podrían cambiarlo entre ellas, { $n }:
}
premise-published = Los votos contados son los que indica esta fuente; no se comprobó ningún acta: { $source }
premise-records = Los votos contados son los de las actas contadas en las primeras { $entries } entradas del registro{ $corrections }; definición { $definition }.
premise-corrections = , { $n ->
    [one] con { $n } corrección en vigor
   *[other] con { $n } correcciones en vigor
}
premise-allowed = , y { $n } más que dejan pasar las reglas de la elección
premise-part = { $part }: { $premise }
premise-no-later-change = Lo contado queda como está: ningún acta se corrige ni se anula después.
premise-missing-unknown = La fuente no dice cuántas actas faltan; no llegan otros votos.
premise-missing = { $n ->
    [one] Faltan las actas de { $n } mesa; no llegan otros votos.
   *[other] Faltan las actas de { $n } mesas; no llegan otros votos.
}
premise-missing-quarantined = { $n ->
    [one] Faltan las actas de { $n } mesa
   *[other] Faltan las actas de { $n } mesas
}, las de { $quarantined ->
    [one] { $quarantined } mesa
   *[other] { $quarantined } mesas
} están en cuarentena; no llegan otros votos.
premise-turnout = { $n ->
    [one] { $n } mesa contiene
   *[other] { $n } mesas contienen
} como máximo los votos que indican los contadores de participación firmados: { $votes }{ $allowed }.
premise-registers = { $n ->
    [one] { $n } mesa contiene
   *[other] { $n } mesas contienen
} como máximo un voto por elector inscrito: { $voters }{ $allowed }.
premise-unbounded = Nada limita los votos de { $n ->
    [one] { $n } mesa
   *[other] { $n } mesas
}.
premise-together-turnout = Las mesas pendientes contienen como máximo los votos que indican sus contadores de participación firmados: { $n }.
premise-together-register = Las mesas pendientes contienen como máximo un voto por elector inscrito en ellas: { $n }.
premise-together-less = Las mesas pendientes contienen como máximo un voto por elector inscrito en ellas: { $all } en toda la lista menos { $counted } en las mesas contadas.
premise-together-less-votes = Las mesas pendientes contienen como máximo un voto por elector inscrito en ellas. No se indica cuántos hay inscritos en las mesas contadas: al menos tantos como votos contados, { $votes } de { $all } en toda la lista.
premise-together-unknown = Nada limita los votos de las mesas pendientes.
premise-one-vote = Un voto que llega es un voto, para cualquier opción o para ninguna.
premise-blank = Los votos para ninguna opción cuentan en el total: { $n } hasta ahora.
premise-decides-parallel = Los escaños de listas se suman a los obtenidos por nombre; las partes son votos separados.
premise-decides-added = Los escaños obtenidos por nombre cuentan para lo que corresponde a una lista; quien obtuvo más los conserva, y la cámara crece. Las partes son votos separados.
premise-decides-within = Los escaños obtenidos por nombre son escaños de la cámara; los demás van uno a uno a los mejores cocientes después de ellos. Las partes son votos separados.
bar-more-than = más del { $share }
bar-at-least = al menos el { $share }
premise-decides-plurality = Se pregunta qué opción tiene más votos; un empate en el primer lugar es un cambio.
premise-decides-unstated = La definición no indica ninguna regla para la contienda. Se pregunta qué opción tiene más votos; un empate en el primer lugar es un cambio.
premise-decides-first = Se pregunta qué opciones son las primeras { $seats } por votos; un empate en el último de esos lugares es un cambio.
premise-decides-majority = Se pregunta qué opciones tienen { $bar } de los votos.
premise-decides-run-off = La primera resulta elegida con { $bar } de los votos; si no, las dos primeras van a una segunda vuelta. Se pregunta quién resulta elegida o cuáles son las dos; un empate en uno de esos lugares es un cambio.
premise-decides-run-off-ahead = La primera resulta elegida con { $bar } de los votos, o con { $reach } y una diferencia con cada una de las demás de { $by } de los votos; si no, las dos primeras van a una segunda vuelta. Se pregunta quién resulta elegida o cuáles son las dos; un empate en uno de esos lugares es un cambio.
premise-decides-lists = { $seats } escaños van a listas por { $method }. Se pregunta cuántos escaños tiene cada una; un empate por un escaño es un cambio.
premise-decides-lists-threshold = { $seats } escaños van a listas por { $method }, a las que tienen al menos el { $share } de los votos. Se pregunta cuáles son esas listas y cuántos escaños tiene cada una; un empate por un escaño es un cambio.
premise-alliances = Estas listas obtienen escaños como una sola y los reparten por { $method }: { $lists }.{ $threshold }
premise-alliances-as-one = { " " }Alcanzan el umbral como una sola.
premise-alliances-each = { " " }Cada una de ellas tiene que alcanzar el umbral.
