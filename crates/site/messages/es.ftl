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

order-bound = Las actas no incluidas pueden contener como máximo { $most } votos; la diferencia entre el primer y el segundo lugar es de { $difference }.
order-unknown = Las actas no incluidas pueden contener una cantidad desconocida de votos, porque { $n ->
    [one] { $n } mesa entre ellas no tiene un padrón que la limite
   *[other] { $n } mesas entre ellas no tienen un padrón que las limite
}. Las demás mesas entre ellas pueden contener como máximo { $most } votos. La diferencia entre el primer y el segundo lugar es de { $difference }.
order-one = Esta contienda tiene una sola candidatura, así que no hay orden. Las actas no incluidas pueden contener como máximo { $most } votos.
order-one-unknown = Esta contienda tiene una sola candidatura, así que no hay orden.
premises = Premisas
premise-register = La lista de mesas está completa: { $n } mesas votan en esta contienda.
premise-roll = Ninguna mesa no incluida contiene más papeletas que su padrón más una tolerancia de { $n } (regla BO-01).
premise-stand = Las actas contadas quedan como están.
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
